// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>

namespace waybill {

/// The watchdogs of one request. There is no limit on its whole duration: a slow upload that gets
/// on is a good upload.
struct request_limits {
    std::chrono::milliseconds connect{30'000};  ///< until the connection stands, TLS included
    std::chrono::milliseconds stall{60'000};    ///< while sending: without one byte leaving
    /// After the last byte: until the answer is complete, and one second more for every 6 MB of the body. Each interim
    /// response (1xx) begins it anew, up to twelve times this limit in all.
    std::chrono::milliseconds response{300'000};
    std::size_t response_body = 1 << 20;  ///< bytes of response body; a longer one is cut off
    /// Bytes of response headers that are kept. What exceeds it sixteenfold ends the transfer.
    std::size_t response_headers = 64 << 10;
};

}  // namespace waybill
