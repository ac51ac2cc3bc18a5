// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/transport/request.hpp>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::test {

/// What the server got of one request.
struct received_request {
    int connection = 0;     ///< which TCP connection it came on, from 1
    int on_connection = 0;  ///< which request of that connection it is, from 1
    std::string script;     ///< the name of the script it met; empty: the default answer

    std::string head;  ///< the request line and headers as they came
    std::string method;
    std::string target;
    header_list headers;                       ///< in the order they came
    bool well_formed = false;                  ///< the head arrived whole, and is HTTP/1.1
    std::optional<std::uint64_t> body_length;  ///< its Content-Length
    bool chunked = false;

    std::string body;              ///< its first bytes, at most `http_log::kept_body`
    std::uint64_t body_bytes = 0;  ///< how many were taken
    std::string sha256;            ///< of the bytes taken, in hexadecimal; set once it is over
    bool complete = false;         ///< the whole body arrived
    bool over = false;             ///< the server is done with it

    /// The value of the only header of this name; empty when there is none or several.
    [[nodiscard]] std::string header(std::string_view name) const;
    [[nodiscard]] bool has_header(std::string_view name) const;
};

/// All requests a server got, in the order they began. Threads write it, the test waits on it.
class http_log {
public:
    /// Of longer bodies only the beginning is kept, and the digest of all.
    static constexpr std::size_t kept_body = 16 << 20;
    static constexpr std::chrono::seconds patience{20};

    using requests = std::vector<received_request>;

    /// For the server: changes the log and wakes those who wait.
    void change(const std::function<void(requests&)>& how);
    void connection_accepted();
    /// @param received bytes the kernel had received on it.
    void connection_ended(std::uint64_t received);

    [[nodiscard]] requests all() const;
    [[nodiscard]] int connections() const;

    /// Waits until the log is as `enough` wants it. Throws `std::runtime_error` that names `what`
    /// and tells what came instead.
    void wait_until(const std::string& what, const std::function<bool(const requests&)>& enough,
                    std::chrono::milliseconds most = patience) const;
    void wait_for_connections(int count) const;
    /// Waits until the clients have closed all connections: the bytes they sent, headers included.
    [[nodiscard]] std::uint64_t wait_for_all_bytes() const;

private:
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    requests requests_;
    int connections_ = 0;
    int ended_ = 0;
    std::uint64_t received_ = 0;
};

/// One line for each request, for the text of a failed test.
[[nodiscard]] std::string describe(const http_log::requests& all);

/// A SHA-256 that is fed piece by piece.
class sha256_sum {
public:
    sha256_sum();
    ~sha256_sum();
    sha256_sum(const sha256_sum&) = delete;
    sha256_sum& operator=(const sha256_sum&) = delete;

    void add(std::string_view bytes);
    /// In hexadecimal; nothing may be added afterwards.
    [[nodiscard]] std::string finish();

private:
    void* state_;
};
[[nodiscard]] std::string sha256(std::string_view bytes);
[[nodiscard]] std::string sha256_of_file(const std::string& path);

}  // namespace waybill::test
