// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/body/body_source.hpp>
#include <waybill/detail/asio_compat.hpp>
#include <waybill/detail/decl.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace waybill::detail {

/// Digests of a body, raw, in the order of their algorithms (`digest::make`). Reads it once, one piece
/// (`session::piece_size`) in each turn of the loop; when it is sent afterwards it comes from the page cache.
WAYBILL_DECL asio::awaitable<std::vector<std::string>> digests_of(body_source& body,
                                                                  std::vector<std::string> algorithms,
                                                                  std::size_t piece_size);

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/body/body_digest.ipp>
#endif
