// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/asio_compat.hpp>
#include <waybill/detail/condition.hpp>
#include <waybill/detail/published.hpp>
#include <waybill/model/snapshot.hpp>

#include <cstdint>
#include <exception>
#include <memory>
#include <utility>

namespace waybill::detail {

/// Distributes snapshots. A slow reader gets the newest one when it asks again and costs nothing in between: only those
/// that wait right now are woken.
///
/// @par Thread safety
///   `latest` from any thread; everything else on the uploader's strand.
class observer_hub {
public:
    explicit observer_hub(const strand& home) : changed_(home) { newest_.store(std::make_shared<const snapshot>()); }

    /// The newest snapshot, without waiting; never null.
    [[nodiscard]] std::shared_ptr<const snapshot> latest() const noexcept { return newest_.load(); }

    void publish(std::shared_ptr<const snapshot> next) {
        newest_.store(std::move(next));
        changed_.notify_all();
    }

    /// Ends all feeds, with `why` if it is set. Snapshots published before are still delivered.
    void close(std::exception_ptr why) {
        closed_ = true;
        why_ = std::move(why);
        changed_.notify_all();
    }

    /// Feeds go on.
    void reopen() noexcept {
        closed_ = false;
        why_ = nullptr;
    }

    /// Completes with the newest snapshot once it is newer than `seen`; null when closed.
    asio::awaitable<std::shared_ptr<const snapshot>> next(std::uint64_t seen);

private:
    published<const snapshot> newest_;
    condition changed_;
    std::exception_ptr why_;
    bool closed_ = false;
};

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/engine/show/observer_hub.ipp>
#endif
