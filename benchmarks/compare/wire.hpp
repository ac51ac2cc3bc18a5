// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <strings.h>

// The little HTTP that the sink and the raw client need; both trust each other.
namespace waybill::bench {

[[nodiscard]] inline std::optional<std::string_view> header(std::string_view head, std::string_view name) {
    for (std::size_t line = head.find("\r\n"); line != std::string_view::npos; line = head.find("\r\n", line + 2)) {
        const std::string_view rest = head.substr(line + 2);
        if (rest.size() > name.size() && rest[name.size()] == ':' &&
            ::strncasecmp(rest.data(), name.data(), name.size()) == 0) {
            std::string_view value = rest.substr(name.size() + 1);
            value = value.substr(0, value.find("\r\n"));
            value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
            return value;
        }
    }
    return std::nullopt;
}

[[nodiscard]] inline std::optional<std::uint64_t> content_length(std::string_view head) {
    const auto text = header(head, "Content-Length");
    std::uint64_t value = 0;
    if (!text || std::from_chars(text->data(), text->data() + text->size(), value).ec != std::errc{}) {
        return std::nullopt;
    }
    return value;
}

[[nodiscard]] inline bool expects_continue(std::string_view head) {
    return header(head, "Expect").has_value();
}

}  // namespace waybill::bench
