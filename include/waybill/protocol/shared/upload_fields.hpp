// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/decl.hpp>
#include <waybill/http/structured_fields.hpp>
#include <waybill/transport/request.hpp>
#include <waybill/transport/response.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Fields of servers of resumable uploads (draft-ietf-httpbis-resumable-upload section 4).
namespace waybill::detail {

/// `Upload-Limit`.
struct upload_limits {
    std::optional<std::uint64_t> max_size;
    std::optional<std::uint64_t> min_size;  ///< a smaller upload is to be sent in one plain request
    std::optional<std::uint64_t> max_append_size;
    std::optional<std::uint64_t> min_append_size;
    std::optional<std::uint64_t> max_age;  ///< seconds
};

/// Empty when there is none, or a known member has a wrong type: then the draft requires all to be ignored.
[[nodiscard]] WAYBILL_DECL std::optional<upload_limits> parse_upload_limit(const header_list& headers);

struct upload_fields {
    std::optional<std::uint64_t> offset;
    std::optional<std::uint64_t> length;
    std::optional<bool> complete;
    std::optional<upload_limits> limits;
};

[[nodiscard]] WAYBILL_DECL upload_fields parse_upload_fields(const header_list& headers);

/// Why a request was refused, by its problem type (RFC 9457).
enum class upload_problem : std::uint8_t { none, mismatching_offset, completed, inconsistent_length };

[[nodiscard]] WAYBILL_DECL upload_problem parse_upload_problem(const response& got);

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/protocol/shared/upload_fields.ipp>
#endif
