// SPDX-License-Identifier: BSL-1.0
#include "support/http_exchange.hpp"

#include <waybill/transport/response.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>

namespace waybill::test {
namespace {

// A line the client sends within a chunked body; nothing there is long.
std::string read_line(http_wire& from) {
    std::string line;
    while (!line.ends_with("\r\n")) {
        char next = 0;
        from.read_exactly({&next, 1});
        line.push_back(next);
        if (line.size() > 4096) {
            throw peer_gone();
        }
    }
    line.resize(line.size() - 2);
    return line;
}

std::optional<std::uint64_t> number(std::string_view text, int base) {
    std::uint64_t value = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    const bool whole = !text.empty() && ec == std::errc() && end == text.data() + text.size();
    return whole ? std::optional(value) : std::nullopt;
}

std::string status_line(int status) {
    return "HTTP/1.1 " + std::to_string(status) + " Status\r\n";
}

std::string lines(const header_list& headers) {
    std::string text;
    for (const header_field& h : headers) {
        text += h.name + ": " + h.value + "\r\n";
    }
    return text;
}

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    return first == std::string_view::npos ? "" : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

std::string reply::str() const {
    std::string text = status_line(status) + lines(headers);
    const bool framed = std::any_of(headers.begin(), headers.end(), [](const header_field& h) {
        return same_header(h.name, "Content-Length") || same_header(h.name, "Transfer-Encoding");
    });
    if (!framed && status >= 200 && status != 204 && status != 304) {
        text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    }
    return text + "\r\n" + body;
}

bool reply::closes() const {
    return same_header(single_header(headers, "Connection").value_or(""), "close");
}

void http_body_reader::begin(std::optional<std::uint64_t> length, bool chunked) {
    chunked_ = chunked;
    left_ = chunked ? 0 : length.value_or(0);
    complete_ = !chunked && left_ == 0;
}

std::size_t http_body_reader::read(http_wire& from, std::span<char> out) {
    if (chunked_ && left_ == 0) {
        next_chunk(from);
        if (complete_) {
            return 0;
        }
    }
    const std::size_t count =
        from.read(out.first(static_cast<std::size_t>(std::min<std::uint64_t>(left_, out.size()))));
    left_ -= count;
    complete_ = !chunked_ && left_ == 0;
    return count;
}

void http_body_reader::next_chunk(http_wire& from) {
    if (in_chunk_ && !read_line(from).empty()) {
        throw peer_gone();
    }
    const std::string line = read_line(from);
    const auto size = number(line.substr(0, line.find(';')), 16);
    if (!size) {
        throw peer_gone();
    }
    left_ = *size;
    in_chunk_ = true;
    if (left_ == 0) {
        while (!read_line(from).empty()) {
        }
        complete_ = true;
    }
}

exchange::exchange(http_wire& wire, http_log& log, int connection, int on_connection) : wire_(wire), log_(log) {
    log_.change([&](http_log::requests& all) {
        index_ = all.size();
        received_request& mine = all.emplace_back();
        mine.connection = connection;
        mine.on_connection = on_connection;
    });
}

exchange::~exchange() {
    log_.change([&](http_log::requests& all) {
        all[index_].over = true;
        all[index_].sha256 = sum_.finish();
    });
}

received_request exchange::seen() const {
    received_request copy;
    log_.change([&](http_log::requests& all) { copy = all[index_]; });
    return copy;
}

void exchange::met(const std::string& script) {
    log_.change([&](http_log::requests& all) { all[index_].script = script; });
}

void exchange::read_head() {
    if (head_read_) {
        return;
    }
    wire_.secure();
    std::string head;
    std::array<char, 16384> piece;
    for (;;) {
        // Looks first, so that not one byte of the body is taken with the head.
        const std::size_t there = wire_.peek(piece);
        const std::size_t before = head.size();
        head.append(piece.data(), there);
        const auto end = head.find("\r\n\r\n", before < 3 ? 0 : before - 3);
        if (end != std::string::npos) {
            head.resize(end + 4);
        }
        wire_.read_exactly(std::span(piece).first(head.size() - before));
        if (end != std::string::npos || head.size() > (1 << 20)) {
            break;
        }
        log_.change([&](http_log::requests& all) { all[index_].head = head; });
    }
    head_read_ = true;
    parse_head(head);
}

void exchange::parse_head(const std::string& head) {
    std::string_view rest = head;
    const auto next_line = [&rest] {
        const auto end = std::min(rest.find("\r\n"), rest.size());
        const std::string_view line = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 2, rest.size()));
        return line;
    };
    received_request found;
    const std::string_view first = next_line();
    const auto space = first.find(' ');
    const auto version = first.rfind(" HTTP/1.1");
    found.well_formed = space != std::string_view::npos && version != std::string_view::npos && version > space &&
                        first.substr(0, space).find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") == std::string::npos;
    if (found.well_formed) {
        found.method = first.substr(0, space);
        found.target = first.substr(space + 1, version - space - 1);
    }
    for (std::string_view line = next_line(); !line.empty(); line = next_line()) {
        const auto colon = std::min(line.find(':'), line.size() - 1);
        found.headers.push_back({std::string(line.substr(0, colon)), std::string(trimmed(line.substr(colon + 1)))});
    }
    found.body_length = number(found.header("Content-Length"), 10);
    found.chunked = same_header(found.header("Transfer-Encoding"), "chunked");
    last_ = !found.well_formed || same_header(found.header("Connection"), "close");
    body_.begin(found.body_length, found.chunked);
    log_.change([&](http_log::requests& all) {
        received_request& mine = all[index_];
        mine.head = head;
        mine.method = found.method;
        mine.target = found.target;
        mine.headers = found.headers;
        mine.well_formed = found.well_formed;
        mine.body_length = found.body_length;
        mine.chunked = found.chunked;
        mine.complete = found.well_formed && body_.complete();
    });
    if (!found.well_formed) {
        throw peer_gone();  // what follows cannot be told apart any more
    }
}

void exchange::read_body(std::uint64_t up_to) {
    read_head();
    std::array<char, 65536> piece;
    while (!body_.complete() && taken_ < up_to) {
        const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(up_to - taken_, piece.size()));
        take_body({piece.data(), body_.read(wire_, std::span(piece).first(most))});
    }
}

void exchange::take_body(std::string_view bytes) {
    taken_ += bytes.size();
    sum_.add(bytes);
    if (sink_) {
        sink_(bytes);
    }
    log_.change([&](http_log::requests& all) {
        received_request& mine = all[index_];
        mine.body.append(bytes.substr(0, logged_body_ - std::min(mine.body.size(), logged_body_)));
        mine.body_bytes = taken_;
        mine.complete = body_.complete();
    });
}

void exchange::send(std::string_view raw) {
    answered_ = true;
    wire_.write(raw);
}

void exchange::interim(int status, const header_list& headers) {
    wire_.write(status_line(status) + lines(headers) + "\r\n");
}

void exchange::answer(const reply& what) {
    answered_ = true;
    last_ = last_ || what.closes();
    wire_.write(what.str());
}

}  // namespace waybill::test
