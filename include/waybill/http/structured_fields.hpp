// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/decl.hpp>
#include <waybill/http/header.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Structured field values (RFC 9651), as far as upload protocols respond with them. A field that does not parse is
// ignored as a whole, as the RFC requires.
namespace waybill::detail {

/// A bare item.
struct field_value {
    enum class type : std::uint8_t { integer, decimal, string, token, bytes, boolean, inner_list };

    type kind = type::boolean;
    std::int64_t number = 0;  ///< an integer; a boolean as 0 or 1
    std::string text;         ///< a string, a token, or bytes, decoded
};

using field_dictionary = std::vector<std::pair<std::string, field_value>>;

/// Longer values are ignored.
inline constexpr std::size_t most_field_bytes = 8192;

[[nodiscard]] WAYBILL_DECL std::optional<field_value> parse_item(std::string_view text);
/// Members in order; of a repeated key the last one counts.
[[nodiscard]] WAYBILL_DECL std::optional<field_dictionary> parse_dictionary(std::string_view text);

/// All lines of a field as one value (RFC 9110 section 5.3); empty when there is none.
[[nodiscard]] WAYBILL_DECL std::optional<std::string> joined_field(const header_list& headers, std::string_view name);

/// A boolean, or a non-negative integer; nothing else.
[[nodiscard]] WAYBILL_DECL std::optional<bool> boolean_field(const header_list& headers, std::string_view name);
[[nodiscard]] WAYBILL_DECL std::optional<std::uint64_t> size_field(const header_list& headers, std::string_view name);

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/http/structured_fields.ipp>
#endif
