// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/decl.hpp>
#include <waybill/detail/spawn_on.hpp>
#include <waybill/fwd.hpp>
#include <waybill/model/snapshot.hpp>

#include <cstdint>
#include <memory>
#include <utility>

namespace waybill {

/// @cond
#if !defined(WAYBILL_HEADER_ONLY)
extern template asio::awaitable<std::shared_ptr<const snapshot>> detail::await_on(
    const strand&, task_of<std::shared_ptr<const snapshot>>, asio::use_awaitable_t<>);
extern template detail::task detail::task_into(std::shared_ptr<const snapshot>&,
                                               task_of<std::shared_ptr<const snapshot>>);
#endif
/// @endcond

/// An asynchronous generator of snapshots.
///
/// Conflated: each `async_next` yields the newest snapshot and skips the ones in between. A slow reader therefore never
/// slows uploads down, and costs nothing while it is busy. It ends when the uploader stops. Destroying it unsubscribes.
///
/// @par Thread safety
///   Distinct objects: safe. Shared objects: unsafe; one `async_next` at a time.
class feed {
public:
    feed(asio::any_io_executor executor, const std::shared_ptr<detail::engine>& source)
        : executor_(std::move(executor)), source_(source), seen_(std::make_shared<std::uint64_t>(0)) {}

    /// Waits for a snapshot newer than the last one this feed yielded; the first is yielded immediately.
    ///
    /// @par Completion signature
    ///   `void(std::error_code, std::shared_ptr<const snapshot>)`; the pointer is null when the
    ///   uploader has stopped.
    /// @par Errors
    ///   - the store's error, when the uploader ended because of it.
    ///   - `asio::error::operation_aborted`  canceled; nothing is lost, the next call yields it.
    /// @par Cancellation
    ///   Any type, at any time.
    /// @par Thread safety
    ///   May be called from any thread. The handler runs on the token's associated executor.
    template <class Token = asio::use_awaitable_t<>>
    auto async_next(Token&& token = {}) {
        return detail::spawn_on(home(), next(), std::forward<Token>(token));
    }

private:
    [[nodiscard]] detail::strand home() const;
    [[nodiscard]] detail::task_of<std::shared_ptr<const snapshot>> next() const;

    asio::any_io_executor executor_;
    // A feed keeps no uploader alive, and may outlive it and its context: it holds no object of a context, not even the
    // strand.
    std::weak_ptr<detail::engine> source_;
    std::shared_ptr<std::uint64_t> seen_;
};

}  // namespace waybill

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/feed.ipp>
#endif
