// SPDX-License-Identifier: BSL-1.0
#pragma once

// A host that is away for hours, in one of the ways in which hosts are away, for all jobs or for one. Nothing of it is
// a job's fault.

#include <waybill/testing/fake_transport.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace waybill::simulation {

enum class absence : std::uint8_t {
    gateway,
    busy,
    overloaded,
    full,
    hangs_up,
    takes_nothing,
    no_connection,
    untrusted,
    login_page,
    other_credentials
};
inline constexpr std::uint64_t absences = 10;
/// The first of them may concern one job only.
inline constexpr std::uint64_t absences_for_one = 6;

class outage {
public:
    /// @param job the only job that it is away for; empty: for all.
    void begin(std::string host, absence how, std::string job = {}) {
        host_ = std::move(host);
        job_ = std::move(job);
        how_ = how;
        asked_ = 0;
    }
    void end() { host_.clear(); }

    [[nodiscard]] bool concerns(const std::string& url) const {
        const bool same_host = !host_.empty() && url.find("://" + host_ + "/") != std::string::npos;
        return same_host && (job_.empty() || url.find("/" + job_ + "/") != std::string::npos);
    }
    /// How often the host was asked meanwhile.
    [[nodiscard]] int asked() const noexcept { return asked_; }

    /// What comes instead of the host's own answer; before a byte of the body has left.
    [[nodiscard]] response answer() {
        ++asked_;
        switch (how_) {
            case absence::no_connection: return failed(errc::connect_failed);
            case absence::untrusted: return failed(errc::tls_untrusted);
            case absence::gateway: return testing::fake_transport::respond(502);
            case absence::busy: return testing::fake_transport::respond(503);
            case absence::full: return testing::fake_transport::respond(507);
            case absence::hangs_up: return failed(errc::connection_lost);
            case absence::takes_nothing: return failed(errc::send_stalled);
            case absence::overloaded: return testing::fake_transport::respond(529);
            case absence::login_page: {
                response r = testing::fake_transport::respond(302);
                r.headers.push_back({"Location", "http://login.test/"});
                return r;
            }
            case absence::other_credentials: return testing::fake_transport::respond(401);
        }
        return {};
    }

private:
    [[nodiscard]] static response failed(errc why) {
        response r;
        r.failure = why;
        return r;
    }

    std::string host_;
    std::string job_;
    absence how_ = absence::no_connection;
    int asked_ = 0;
};

}  // namespace waybill::simulation
