// SPDX-License-Identifier: BSL-1.0
#pragma once

// A host that is away for hours, in one of the ways in which hosts are away. Nothing of it is a job's fault.

#include <waybill/testing/fake_transport.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace waybill::simulation {

enum class absence : std::uint8_t {
    no_connection,
    untrusted,
    gateway,
    busy,
    overloaded,
    login_page,
    other_credentials
};
inline constexpr std::uint64_t absences = 7;

class outage {
public:
    void begin(std::string host, absence how) {
        host_ = std::move(host);
        how_ = how;
        asked_ = 0;
    }
    void end() { host_.clear(); }

    [[nodiscard]] bool concerns(const std::string& url) const {
        return !host_.empty() && url.find("://" + host_ + "/") != std::string::npos;
    }
    /// How often the host was asked meanwhile.
    [[nodiscard]] int asked() const noexcept { return asked_; }

    /// What comes instead of the host's own answer; before a byte of the body has left.
    [[nodiscard]] response answer() {
        ++asked_;
        switch (how_) {
            case absence::no_connection: return failed(errc::connect_failed);
            case absence::untrusted: return failed(errc::tls_untrusted);
            case absence::gateway: return testing::fake_transport::answer(502);
            case absence::busy: return testing::fake_transport::answer(503);
            case absence::overloaded: return testing::fake_transport::answer(529);
            case absence::login_page: {
                response r = testing::fake_transport::answer(302);
                r.headers.push_back({"Location", "http://login.test/"});
                return r;
            }
            case absence::other_credentials: return testing::fake_transport::answer(401);
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
    absence how_ = absence::no_connection;
    int asked_ = 0;
};

}  // namespace waybill::simulation
