// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/http_script.hpp"
#include "support/http_server.hpp"

#include <functional>
#include <string_view>
#include <vector>

namespace waybill::test {

/// What is certain after a request met a fault.
enum class aftermath {
    incomplete,   ///< the server cannot have the whole body
    open,         ///< it has the whole body, and nobody knows what it made of it
    delivered,    ///< it has the whole body and said so
    try_later,    ///< it refused, and says or implies that another time may be better
    credentials,  ///< it wants other credentials
    refused,      ///< it refused for good
    see_there,    ///< it has the whole body, and answers as apps answer a form that they have processed
};

[[nodiscard]] std::string_view to_string(aftermath a) noexcept;

/// A way to treat a request badly.
struct fault {
    script how;
    aftermath after;
    /// It happens before the server has read the whole body. What is certain then holds only for
    /// bodies longer than `beyond_buffers` and a server that `reads_little`: a shorter body is in
    /// the kernel's hands at once, and after any break it may have been delivered.
    bool in_mid_body = false;
    /// The server stops getting on: only the client's watchdogs, which a test sets low, end it.
    bool stalls = false;
    /// So many requests in a row meet it.
    int times = 1;
};

/// The requests that are to come meet the fault.
void plan(http_server& server, const fault& f);
/// The same, if they are such ones.
void plan(http_server& server, const fault& f, const std::function<bool(const received_request&)>& which);

/// The connection breaks or stalls before, in or after the body.
[[nodiscard]] std::vector<fault> connection_faults();
/// The answer comes before the body.
[[nodiscard]] std::vector<fault> early_answers();
/// Statuses after the whole body.
[[nodiscard]] std::vector<fault> late_answers();
/// Answers that break HTTP, or stretch it.
[[nodiscard]] std::vector<fault> malformed_answers();
/// All of them: for matrices of every fault and every protocol.
[[nodiscard]] std::vector<fault> all_faults();

}  // namespace waybill::test
