// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/transport/request.hpp>

#include "support/http_record.hpp"
#include "support/http_wire.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace waybill::test {

/// A response, in a test's words.
struct reply {
    reply(int number = 200, header_list fields = {}, std::string content = {})
        : status(number), headers(std::move(fields)), body(std::move(content)) {}

    int status;
    header_list headers;
    std::string body;

    /// As it goes over the wire: with a Content-Length, unless it has one or must not.
    [[nodiscard]] std::string str() const;
    [[nodiscard]] bool closes() const;
};

/// Answers requests that no script is for. Calls never overlap.
using request_handler = std::function<reply(const received_request&)>;

/// Takes a body off the wire: of a known length, or chunked.
class http_body_reader {
public:
    void begin(std::optional<std::uint64_t> length, bool chunked);
    [[nodiscard]] bool complete() const noexcept { return complete_; }
    /// Takes at least one byte, unless that completes the body; at most `out`.
    std::size_t read(http_wire& from, std::span<char> out);

private:
    void next_chunk(http_wire& from);

    bool complete_ = false;
    bool chunked_ = false;
    bool in_chunk_ = false;
    std::uint64_t left_ = 0;
};

/// One request on one connection, as a script sees it. Everything it reads is in the log at once.
class exchange {
public:
    static constexpr std::uint64_t everything = std::numeric_limits<std::uint64_t>::max();

    /// Enters a request in the log.
    exchange(http_wire& wire, http_log& log, int connection, int on_connection);
    ~exchange();
    exchange(const exchange&) = delete;
    exchange& operator=(const exchange&) = delete;

    [[nodiscard]] http_wire& wire() noexcept { return wire_; }
    /// What is known of the request so far.
    [[nodiscard]] received_request seen() const;
    /// The whole body has been read.
    [[nodiscard]] bool complete() const noexcept { return body_.complete(); }
    void met(const std::string& script);

    /// Each of these reads what is missing until there, and nothing beyond.
    void read_head();
    void read_body(std::uint64_t up_to = everything);
    /// From now on also gets the body's bytes as they are read.
    void pass_body_to(std::function<void(std::string_view)> sink) { sink_ = std::move(sink); }
    /// The log gets the body's size and digest, and none of its bytes.
    void log_no_body() noexcept { logged_body_ = 0; }
    [[nodiscard]] std::uint64_t taken() const noexcept { return taken_; }

    /// Sends bytes as they are; they count as the answer.
    void send(std::string_view raw);
    void interim(int status, const header_list& headers);
    void answer(const reply& what);
    [[nodiscard]] bool answered() const noexcept { return answered_; }
    /// The connection must not be used again.
    [[nodiscard]] bool last() const noexcept { return last_; }

private:
    void parse_head(const std::string& head);
    void take_body(std::string_view bytes);

    http_wire& wire_;
    http_log& log_;
    std::size_t index_ = 0;
    http_body_reader body_;
    sha256_sum sum_;
    std::function<void(std::string_view)> sink_;
    std::uint64_t taken_ = 0;
    std::size_t logged_body_ = http_log::kept_body;
    bool head_read_ = false;
    bool answered_ = false;
    bool last_ = false;
};

}  // namespace waybill::test
