// SPDX-License-Identifier: BSL-1.0
#pragma once

// The parts of Asio that moved between 1.22 and today, under one name each.

#include <waybill/detail/config.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/strand.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#if ASIO_VERSION >= 102300
#include <asio/as_tuple.hpp>
#else
#include <asio/experimental/as_tuple.hpp>
#endif

namespace waybill::detail {

#if ASIO_VERSION >= 102300
using asio::as_tuple;
#else
using asio::experimental::as_tuple;
#endif

/// The uploader's strand: one per uploader, all of its state lives on it.
using strand = asio::strand<asio::any_io_executor>;

/// Awaits an Asio operation without exceptions: `co_await op(nothrow)` yields a tuple.
inline auto nothrow() {
    return as_tuple(asio::use_awaitable);
}

}  // namespace waybill::detail
