// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/transport/request.hpp>
#include <waybill/transport/response.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace waybill::detail {

/// Collects a response from the header lines and body pieces a transport sees. Pure; every byte
/// comes from the server and is bounded.
///
/// Interim responses (1xx), the final one and trailers arrive through the same lines. They are kept apart: a `Location`
/// in a 104 does not belong to the final response.
class response_reader {
public:
    explicit response_reader(const request_limits& limits) : limits_(limits) {}

    struct interim {
        int status;
        header_list headers;
    };

    /// Of a final response's headers no more is kept than the limit, and this many times as much is read.
    static constexpr std::size_t patience = 16;

    /// Takes one header line, with or without its line end. False: over the limit, or not HTTP.
    [[nodiscard]] bool line(std::string_view text) {
        header_bytes_ += text.size();
        if (header_bytes_ > limits_.response_headers) {
            const bool known = in_block_ && status_ >= 200;
            if (!known || header_bytes_ > limits_.response_headers * patience) {
                stop_waiting();
                return false;
            }
        }
        while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) {
            text.remove_suffix(1);
        }
        if (final_) {
            return true;  // a trailer: nothing here relies on one
        }
        if (!in_block_) {
            return begin(text);
        }
        if (text.empty()) {
            end();
            return true;
        }
        return field(text);
    }

    /// Takes body bytes. False: over the limit.
    [[nodiscard]] bool body(std::string_view bytes) {
        const std::size_t room = limits_.response_body - body_.size();
        body_.append(bytes.substr(0, room));
        cut_ = cut_ || bytes.size() > room;
        return !cut_;
    }

    /// The final status, once all its headers are there; otherwise 0.
    [[nodiscard]] int final_status() const noexcept { return final_ ? status_ : 0; }

    /// The final response is the last on its connection: the server accepts nothing more (RFC 9112 section 9.6).
    [[nodiscard]] bool ends_connection() const noexcept { return final_ && (says_close_ || !keeps_alive_); }

    /// The headers will not end well: the status line is used.
    void stop_waiting() noexcept { final_ = final_ || (in_block_ && status_ >= 200); }

    /// The interim response that the last line completed, if any.
    [[nodiscard]] std::optional<interim> take_interim() { return std::exchange(interim_, std::nullopt); }

    /// Interim responses that keep pace with the request are no flood, however many there are: the previous ones no
    /// longer count.
    void forgive() noexcept { header_bytes_ = 0; }

    void move_to(response& out) {
        out.status = final_status();
        if (final_) {
            out.headers = std::move(headers_);
        }
        out.body = std::move(body_);
        out.body_truncated = cut_;
    }

private:
    // status-line = HTTP-version SP status-code SP [ reason-phrase ] (RFC 9112 section 4)
    [[nodiscard]] bool begin(std::string_view text) {
        if (!text.starts_with("HTTP/")) {
            return text.empty();
        }
        const auto space = text.find(' ');
        int status = 0;
        if (space == std::string_view::npos || text.size() < space + 4) {
            return false;
        }
        const char* const first = text.data() + space + 1;
        const auto [end, ec] = std::from_chars(first, first + 3, status);
        const bool longer = text.size() > space + 4 && text[space + 4] != ' ';
        if (ec != std::errc() || end != first + 3 || status < 100 || longer) {
            return false;
        }
        status_ = status;
        says_close_ = false;
        keeps_alive_ = !text.starts_with("HTTP/1.0");
        headers_.clear();
        in_block_ = true;
        return true;
    }

    void end() {
        in_block_ = false;
        if (status_ >= 200) {
            final_ = true;
        } else {
            interim_ = interim{status_, std::move(headers_)};
            headers_.clear();
        }
    }

    // A list of options, separated by commas (RFC 9110 section 7.6.1).
    [[nodiscard]] static bool lists(std::string_view options, std::string_view wanted) {
        for (;;) {
            const std::size_t first = std::min(options.find_first_not_of(" \t,"), options.size());
            options.remove_prefix(first);
            if (options.empty()) {
                return false;
            }
            const std::string_view one = options.substr(0, options.find_first_of(" \t,"));
            if (same_header(one, wanted)) {
                return true;
            }
            options.remove_prefix(one.size());
        }
    }

    [[nodiscard]] bool field(std::string_view text) {
        if (text.front() == ' ' || text.front() == '\t') {
            return true;  // obsolete line folding (RFC 9112 section 5.2): no field we read may be folded
        }
        if (header_bytes_ > limits_.response_headers) {
            return true;
        }
        const auto colon = text.find(':');
        if (colon == std::string_view::npos || colon == 0) {
            return true;  // not a field; libcurl ignores it as well
        }
        std::string_view value = text.substr(colon + 1);
        while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) {
            value.remove_prefix(1);
        }
        while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) {
            value.remove_suffix(1);
        }
        headers_.push_back({std::string(text.substr(0, colon)), std::string(value)});
        if (same_header(headers_.back().name, "Connection")) {
            says_close_ = says_close_ || lists(value, "close");
            keeps_alive_ = keeps_alive_ || lists(value, "keep-alive");
        }
        return true;
    }

    request_limits limits_;
    int status_ = 0;
    bool in_block_ = false;
    bool final_ = false;
    bool says_close_ = false;
    bool keeps_alive_ = true;
    std::size_t header_bytes_ = 0;
    header_list headers_;
    std::optional<interim> interim_;
    std::string body_;
    bool cut_ = false;
};

}  // namespace waybill::detail
