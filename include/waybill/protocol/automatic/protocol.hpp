// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/decl.hpp>
#include <waybill/protocol/protocol.hpp>
#include <waybill/protocol/registry.hpp>
#include <waybill/transport/response.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace waybill::detail {

/// What an endpoint supports.
struct endpoint_offer {
    std::string protocol;     ///< `tus`, `resumable` or `plain`; empty: nothing is known
    std::uint64_t least = 0;  ///< bytes of an upload; smaller ones are sent as plain requests
};

/// The endpoints' responses, by URL. Shared by the attempts of one uploader, on its strand.
class endpoint_memory {
public:
    /// After this time an endpoint is queried again: servers are upgraded.
    static constexpr std::chrono::hours lifetime{1};

    /// The query may fail this often by accident; after that the endpoint is assumed not to support it.
    static constexpr int accidents = 2;

    using time = std::chrono::system_clock::time_point;

    /// Also unknown when it is too old. A clock that was set back makes it too old.
    [[nodiscard]] endpoint_offer find(const std::string& endpoint, time now) const {
        const auto found = offers_.find(endpoint);
        const bool fresh =
            found != offers_.end() && now >= found->second.received && now - found->second.received < lifetime;
        return fresh ? found->second.offered : endpoint_offer();
    }
    void remember(const std::string& endpoint, endpoint_offer offered, time now) {
        constexpr std::size_t most = 1000;
        if (offers_.size() >= most) {
            offers_.clear();  // asking again costs one request
        }
        offers_[endpoint] = got{std::move(offered), now};
        disrupted_.erase(endpoint);
    }
    void erase(const std::string& endpoint) { offers_.erase(endpoint); }

    /// The endpoint failed over the query again. True when that has happened too often to be an accident: responding to
    /// the query is no condition for accepting an upload.
    [[nodiscard]] bool note_disrupted(const std::string& endpoint) {
        constexpr std::size_t most = 1000;
        if (disrupted_.size() >= most) {
            disrupted_.clear();
        }
        return ++disrupted_[endpoint] > accidents;
    }

private:
    struct got {
        endpoint_offer offered;
        time received;
    };
    std::map<std::string, got> offers_;
    std::map<std::string, int> disrupted_;  // over how many queries in a row
};

/// What a response to OPTIONS offers.
[[nodiscard]] WAYBILL_DECL endpoint_offer offered_by(const response& got);

/// See `automatic`.
class automatic_protocol final : public protocol {
public:
    automatic_protocol(const protocol_spec& spec, registry known, std::shared_ptr<endpoint_memory> memory);

    void check(const waybill::job& job) const override;
    asio::awaitable<void> restore(session& job) override;
    asio::awaitable<void> upload(session& job) override;
    asio::awaitable<void> finalize(session& job) override;
    [[nodiscard]] bool finalizes() const noexcept override { return negotiated_ && negotiated_->finalizes(); }

private:
    asio::awaitable<std::string> ask(session& job);
    [[nodiscard]] protocol_spec settings_for(const session& job, const std::string& name) const;

    protocol_spec spec_;
    registry known_;
    std::shared_ptr<endpoint_memory> memory_;
    std::unique_ptr<protocol> negotiated_;
    bool asked_ = false;  ///< in this attempt; otherwise it is the cached response
};

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/protocol/automatic/protocol.ipp>
#endif
