// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/body/multipart_body.hpp>
#include <waybill/detail/decl.hpp>
#include <waybill/protocol/session.hpp>

#include <string>
#include <vector>

// The form that all items of a job are sent in.
namespace waybill::detail {

/// The boundary of a job's form: the same in each attempt of one epoch.
[[nodiscard]] WAYBILL_DECL std::string form_boundary(const session& job);

/// The same job with the same boundary always has the same bytes at the same places.
/// @param file_field of items that name none; empty: `file`, as browsers have it.
[[nodiscard]] WAYBILL_DECL multipart_body lay_out(session& job, std::string boundary, const std::string& file_field);

/// The items' byte ranges in a body that is sent from its beginning.
[[nodiscard]] WAYBILL_DECL std::vector<body_span> spans_of(const multipart_body& body);

}  // namespace waybill::detail

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/protocol/shared/form.ipp>
#endif
