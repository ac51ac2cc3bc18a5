// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/transport/curl_transport.hpp>

#include "support/certificates.hpp"

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace waybill::test {

/// One request under way on a `transport_loop`. Copies are the same request. It must not outlive its loop.
class sending {
public:
    static constexpr std::chrono::seconds patience{20};

    /// Waits for its end. Throws what `perform` threw, and `std::runtime_error` when it does not end.
    response get(std::chrono::milliseconds most = patience);
    /// Like `get`, for a request that must end with an exception: its code.
    std::error_code error();
    void cancel();
    [[nodiscard]] transfer_progress progress();
    /// How often its completion handler was called.
    [[nodiscard]] int completions() const;

private:
    friend class transport_loop;
    struct state;
    std::shared_ptr<state> state_;
};

/// The curl transport on a loop and a thread of its own, so that a test can watch the server
/// meanwhile.
class transport_loop {
public:
    explicit transport_loop(curl_options how = {});
    /// Stops the loop and destroys the context, with whatever is still in flight.
    ~transport_loop();
    transport_loop(const transport_loop&) = delete;
    transport_loop& operator=(const transport_loop&) = delete;

    /// Begins a request with `body` as its body; null: none.
    sending start(request what, std::shared_ptr<body_source> body);
    sending start(request what, std::string body);
    /// Begins it and waits for its end.
    response perform(request what, std::string body = {});
    /// Sets a limit, and waits until it applies.
    void limit(const limit_scope& what, const std::string& rates);

    [[nodiscard]] asio::any_io_executor executor() { return strand_; }

private:
    asio::io_context context_{1};
    asio::any_io_executor strand_;
    std::shared_ptr<curl_transport> transport_;
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    std::thread thread_;
};

/// A PUT that may be repeated, and a POST that may not.
[[nodiscard]] request put_to(std::string url);
[[nodiscard]] request post_to(std::string url);

/// Transport options that trust an authority.
[[nodiscard]] curl_options trusting(const certificate_authority& authority);

}  // namespace waybill::test
