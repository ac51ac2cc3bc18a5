// SPDX-License-Identifier: BSL-1.0
//
// A structured field (RFC 9651): what parses can be written canonically and parses to the same.

#include <waybill/detail/digest.hpp>
#include <waybill/http/structured_fields.hpp>

#include "fuzz/property.hpp"

#include <string>

namespace waybill::fuzz {
namespace {

using detail::field_value;

std::string written(const field_value& v) {
    using type = field_value::type;
    switch (v.kind) {
        case type::integer: return std::to_string(v.number);
        case type::decimal: return std::to_string(v.number) + ".0";
        case type::boolean: return v.number != 0 ? "?1" : "?0";
        case type::token: return v.text;
        case type::bytes: return ":" + detail::to_base64(v.text) + ":";
        case type::inner_list: return "()";
        case type::string: break;
    }
    std::string quoted = "\"";
    for (const char c : v.text) {
        quoted += c == '"' || c == '\\' ? "\\" : "";
        quoted.push_back(c);
    }
    return quoted + "\"";
}

bool same(const field_value& a, const field_value& b) {
    return a.kind == b.kind && a.number == b.number && a.text == b.text;
}

void check_value(const field_value& v) {
    using type = field_value::type;
    require(v.number <= 999'999'999'999'999 && v.number >= -999'999'999'999'999, "a number has 15 digits");
    require(v.kind == type::bytes || !has_control(v.text), "text has no control characters");
    require(v.kind != type::token || !v.text.empty(), "a token is not empty");
}

}  // namespace

void check(std::string_view input) {
    if (const auto item = detail::parse_item(input)) {
        check_value(*item);
        const auto again = detail::parse_item(" " + written(*item) + " ");
        require(item->kind == field_value::type::inner_list || (again && same(*again, *item)),
                "an item can be written and read again");
    }
    if (const auto members = detail::parse_dictionary(input)) {
        std::string text;
        for (const auto& [key, value] : *members) {
            check_value(value);
            text += (text.empty() ? "" : ", ") + key + "=" + written(value);
        }
        const auto again = detail::parse_dictionary(text);
        // Base64 without its padding bits set, and quotes: the canonical form can be longer than what was read.
        require(text.size() > detail::most_field_bytes || (again && again->size() == members->size()),
                "a dictionary can be written and read again");
        for (std::size_t i = 0; again && i < members->size(); ++i) {
            require((*again)[i].first == (*members)[i].first && same((*again)[i].second, (*members)[i].second),
                    "a dictionary keeps its members, each key once");
        }
    }
    require(detail::from_base64(detail::to_base64(input)) == std::string(input), "base64 keeps every byte");
    if (const auto bytes = detail::from_base64(input)) {
        require(detail::from_base64(detail::to_base64(*bytes)) == *bytes, "base64 read can be written");
    }
    header_list headers{{"Upload-Offset", std::string(input)}};
    const auto size = detail::size_field(headers, "upload-offset");
    headers.push_back(headers.front());
    require(!detail::size_field(headers, "Upload-Offset"), "a number given twice is none");
    require(!size || detail::parse_item(input)->number == static_cast<std::int64_t>(*size), "a size is its number");
}

}  // namespace waybill::fuzz
