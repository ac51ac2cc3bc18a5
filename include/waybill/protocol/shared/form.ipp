// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/protocol/shared/form.hpp>

#include <cstddef>
#include <utility>

namespace waybill::detail {

WAYBILL_DECL std::string form_boundary(const session& job) {
    return "waybill-" + job.state().key;
}

WAYBILL_DECL multipart_body lay_out(session& job, std::string boundary, const std::string& file_field) {
    const std::string of_job = file_field.empty() ? "file" : file_field;
    multipart_body body(std::move(boundary));
    for (const auto& [name, value] : job.spec().fields) {
        body.add_field(name, value);
    }
    for (std::size_t i = 0; i < job.items().size(); ++i) {
        const item_spec& item = job.items()[i].spec;
        const std::string& field = item.field.empty() ? of_job : item.field;
        body.add_item(field, item.name, item.content_type, item.size, [&job, i] { return job.open(i); });
    }
    body.finish();
    return body;
}

WAYBILL_DECL std::vector<body_span> spans_of(const multipart_body& body) {
    std::vector<body_span> spans;
    spans.reserve(body.items().size());
    for (std::size_t i = 0; i < body.items().size(); ++i) {
        spans.push_back(body_span{i, body.items()[i].offset, 0, body.items()[i].size});
    }
    return spans;
}

}  // namespace waybill::detail
