// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/protocol/shared/upload_fields.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace waybill::detail {

WAYBILL_DECL std::optional<upload_limits> parse_upload_limit(const header_list& headers) {
    const auto text = joined_field(headers, "Upload-Limit");
    const auto members = text ? parse_dictionary(*text) : std::nullopt;
    if (!members) {
        return std::nullopt;
    }
    upload_limits found;
    const std::array<std::pair<std::string_view, std::optional<std::uint64_t>*>, 5> known{
        {{"max-size", &found.max_size},
         {"min-size", &found.min_size},
         {"max-append-size", &found.max_append_size},
         {"min-append-size", &found.min_append_size},
         {"max-age", &found.max_age}}};
    for (const auto& [key, value] : *members) {
        for (const auto& [name, place] : known) {
            if (key != name) {
                continue;
            }
            if (value.kind != field_value::type::integer || value.number < 0) {
                return std::nullopt;
            }
            *place = static_cast<std::uint64_t>(value.number);
        }
    }
    return found;
}

WAYBILL_DECL upload_fields parse_upload_fields(const header_list& headers) {
    upload_fields found;
    found.offset = size_field(headers, "Upload-Offset");
    found.length = size_field(headers, "Upload-Length");
    found.complete = boolean_field(headers, "Upload-Complete");
    found.limits = parse_upload_limit(headers);
    return found;
}

// The types are long and distinctive: searching for them as quoted strings is enough, and a match only ever makes us
// ask the server for its offset or fail.
WAYBILL_DECL upload_problem parse_upload_problem(const response& got) {
    const auto type = got.header("Content-Type");
    if (!type || !type->starts_with("application/problem+json")) {
        return upload_problem::none;
    }
    const auto names = [&](std::string_view problem) {
        const std::string quoted = "http-problem-types#" + std::string(problem) + "\"";
        return got.body.find(quoted) != std::string::npos;
    };
    if (names("mismatching-upload-offset")) {
        return upload_problem::mismatching_offset;
    }
    if (names("completed-upload")) {
        return upload_problem::completed;
    }
    return names("inconsistent-upload-length") ? upload_problem::inconsistent_length : upload_problem::none;
}

}  // namespace waybill::detail
