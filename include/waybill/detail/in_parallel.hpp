// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/asio_compat.hpp>
#include <waybill/detail/decl.hpp>

#include <cstddef>
#include <functional>
#include <memory>

namespace waybill::detail {

/// Runs up to `width` copies of `step` concurrently on `home`, each repeatedly until it returns false. Completes when
/// all have ended. The first exception cancels the others, waits for them, and is rethrown; cancellation reaches all of
/// them.
///
/// @param home the strand this coroutine runs on.
/// @param owner what the steps use; kept until the last of them is destroyed, also when the io_context
///   is destroyed and their frames are destroyed in any order.
/// @param step takes one piece of work and carries it out; false when there was none.
WAYBILL_DECL asio::awaitable<void> in_parallel(strand home, std::shared_ptr<void> owner, std::size_t width,
                                               std::function<asio::awaitable<bool>()> step);

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/detail/in_parallel.ipp>
#endif
