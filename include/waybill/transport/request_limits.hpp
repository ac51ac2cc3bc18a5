// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>

namespace waybill {

/// The timeouts of one request. Its total duration is not limited: a slow upload that makes progress is a good upload.
struct request_limits {
    std::chrono::milliseconds connect{30'000};  ///< until the connection is established, TLS included
    std::chrono::milliseconds stall{60'000};    ///< while sending: without one byte being sent
    /// After the last byte: until the response is complete, and one second more for every 6 MB of the body. Each
    /// interim response (1xx) restarts it, up to twelve times this limit in total.
    std::chrono::milliseconds response{300'000};
    std::size_t response_body = 1 << 20;  ///< bytes of response body; a longer one is truncated
    /// Bytes of response headers that are kept. More than sixteen times as many end the transfer.
    std::size_t response_headers = 64 << 10;
};

}  // namespace waybill
