// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/digest.hpp>
#include <waybill/http/structured_fields.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>

namespace waybill::detail {

/// Reads a structured field from left to right (RFC 9651 section 4.2).
class field_parser {
public:
    explicit field_parser(std::string_view text) : rest_(text) { skip(" "); }

    /// Only spaces remain.
    [[nodiscard]] bool finished() {
        skip(" ");
        return rest_.empty();
    }

    [[nodiscard]] std::optional<field_value> item() {
        std::optional<field_value> value = bare_item();
        return value && parameters() ? value : std::nullopt;
    }

    [[nodiscard]] std::optional<field_dictionary> dictionary() {
        field_dictionary members;
        while (!finished()) {
            auto name = key();
            if (!name) {
                return std::nullopt;
            }
            auto value = member();
            if (!value) {
                return std::nullopt;
            }
            std::erase_if(members, [&](const auto& known) { return known.first == *name; });
            members.emplace_back(std::move(*name), std::move(*value));
            skip(" \t");
            if (rest_.empty()) {
                return members;
            }
            if (!take(',')) {
                return std::nullopt;
            }
            skip(" \t");
            if (rest_.empty()) {
                return std::nullopt;  // a comma that nothing follows
            }
        }
        return members;
    }

private:
    static bool is_digit(char c) { return c >= '0' && c <= '9'; }
    static bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
    static bool is_alpha(char c) { return is_lower(c) || (c >= 'A' && c <= 'Z'); }

    void skip(std::string_view which) { rest_.remove_prefix(std::min(rest_.find_first_not_of(which), rest_.size())); }
    bool take(char c) {
        const bool there = !rest_.empty() && rest_.front() == c;
        rest_.remove_prefix(there ? 1 : 0);
        return there;
    }
    template <class Predicate>
    std::string_view take_while(Predicate fits) {
        const auto end = std::find_if_not(rest_.begin(), rest_.end(), fits);
        const auto count = static_cast<std::size_t>(end - rest_.begin());
        const std::string_view taken = rest_.substr(0, count);
        rest_.remove_prefix(count);
        return taken;
    }

    std::optional<std::string> key() {
        if (rest_.empty() || (!is_lower(rest_.front()) && rest_.front() != '*')) {
            return std::nullopt;
        }
        return std::string(take_while(
            [](char c) { return is_lower(c) || is_digit(c) || c == '_' || c == '-' || c == '.' || c == '*'; }));
    }

    std::optional<field_value> member() {
        if (!take('=')) {
            const field_value yes{field_value::type::boolean, 1, {}};
            return parameters() ? std::optional(yes) : std::nullopt;
        }
        return !rest_.empty() && rest_.front() == '(' ? inner_list() : item();
    }

    // No caller reads one; it must still be distinguished from garbage.
    std::optional<field_value> inner_list() {
        take('(');
        for (;;) {
            skip(" ");
            if (take(')')) {
                const field_value list{field_value::type::inner_list, 0, {}};
                return parameters() ? std::optional(list) : std::nullopt;
            }
            if (!item() || rest_.empty() || (rest_.front() != ' ' && rest_.front() != ')')) {
                return std::nullopt;
            }
        }
    }

    bool parameters() {
        while (take(';')) {
            skip(" ");
            if (!key() || (take('=') && !bare_item())) {
                return false;
            }
        }
        return true;
    }

    std::optional<field_value> bare_item() {
        if (rest_.empty()) {
            return std::nullopt;
        }
        const char first = rest_.front();
        if (first == '-' || is_digit(first)) {
            return number();
        }
        if (first == '"') {
            return string();
        }
        if (first == ':') {
            return bytes();
        }
        if (first == '?') {
            return boolean();
        }
        return is_alpha(first) || first == '*' ? token() : std::nullopt;
    }

    std::optional<field_value> number() {
        const bool negative = take('-');
        const std::string_view digits = take_while(is_digit);
        if (digits.empty() || digits.size() > 15) {
            return std::nullopt;
        }
        field_value value{field_value::type::integer, 0, {}};
        std::from_chars(digits.data(), digits.data() + digits.size(), value.number);
        value.number = negative ? -value.number : value.number;
        if (take('.')) {
            const std::string_view fraction = take_while(is_digit);
            if (digits.size() > 12 || fraction.empty() || fraction.size() > 3) {
                return std::nullopt;
            }
            value.kind = field_value::type::decimal;
        }
        return value;
    }

    std::optional<field_value> string() {
        take('"');
        field_value value{field_value::type::string, 0, {}};
        while (!rest_.empty()) {
            const char c = rest_.front();
            rest_.remove_prefix(1);
            if (c == '"') {
                return value;
            }
            if (c == '\\') {
                if (rest_.empty() || (rest_.front() != '"' && rest_.front() != '\\')) {
                    return std::nullopt;
                }
                value.text.push_back(rest_.front());
                rest_.remove_prefix(1);
            } else if (c < 0x20 || c > 0x7E) {
                return std::nullopt;
            } else {
                value.text.push_back(c);
            }
        }
        return std::nullopt;
    }

    std::optional<field_value> bytes() {
        take(':');
        const std::string_view encoded = take_while([](char c) { return c != ':'; });
        if (!take(':')) {
            return std::nullopt;
        }
        std::optional<std::string> decoded = from_base64(encoded);
        return decoded ? std::optional(field_value{field_value::type::bytes, 0, std::move(*decoded)}) : std::nullopt;
    }

    std::optional<field_value> boolean() {
        take('?');
        if (take('1')) {
            return field_value{field_value::type::boolean, 1, {}};
        }
        return take('0') ? std::optional(field_value{field_value::type::boolean, 0, {}}) : std::nullopt;
    }

    std::optional<field_value> token() {
        const std::string_view text = take_while([](char c) {
            return is_alpha(c) || is_digit(c) ||
                   std::string_view("!#$%&'*+-.^_`|~:/").find(c) != std::string_view::npos;
        });
        return field_value{field_value::type::token, 0, std::string(text)};
    }

    std::string_view rest_;
};

WAYBILL_DECL std::optional<field_value> parse_item(std::string_view text) {
    if (text.size() > most_field_bytes) {
        return std::nullopt;
    }
    field_parser parser(text);
    std::optional<field_value> value = parser.item();
    return value && parser.finished() ? value : std::nullopt;
}

WAYBILL_DECL std::optional<field_dictionary> parse_dictionary(std::string_view text) {
    return text.size() > most_field_bytes ? std::nullopt : field_parser(text).dictionary();
}

WAYBILL_DECL std::optional<std::string> joined_field(const header_list& headers, std::string_view name) {
    std::optional<std::string> value;
    for (const header_field& h : headers) {
        if (same_header(h.name, name)) {
            value = value ? *value + ", " + h.value : h.value;
        }
    }
    return value;
}

WAYBILL_DECL std::optional<bool> boolean_field(const header_list& headers, std::string_view name) {
    const auto text = single_header(headers, name);
    const auto value = text ? parse_item(*text) : std::nullopt;
    const bool fits = value && value->kind == field_value::type::boolean;
    return fits ? std::optional(value->number != 0) : std::nullopt;
}

WAYBILL_DECL std::optional<std::uint64_t> size_field(const header_list& headers, std::string_view name) {
    const auto text = single_header(headers, name);
    const auto value = text ? parse_item(*text) : std::nullopt;
    const bool fits = value && value->kind == field_value::type::integer && value->number >= 0;
    return fits ? std::optional(static_cast<std::uint64_t>(value->number)) : std::nullopt;
}

}  // namespace waybill::detail
