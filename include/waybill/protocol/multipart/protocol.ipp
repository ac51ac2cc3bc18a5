// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/protocol/http_rules.hpp>
#include <waybill/protocol/multipart/protocol.hpp>
#include <waybill/protocol/shared/form.hpp>
#include <waybill/protocol/shared/independent_items.hpp>
#include <waybill/protocol/shared/repeated_request.hpp>
#include <waybill/protocol/shared/undecodable.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

namespace waybill::detail {

WAYBILL_DECL multipart_protocol::multipart_protocol(const protocol_spec& spec) {
    for (const auto& [name, value] : spec.settings) {
        if (name != "file-field" || !is_form_name(value)) {
            throw error(errc::invalid_setting, "multipart: " + printable_excerpt(name + " = " + value, 128));
        }
        file_field_ = value;
    }
}

WAYBILL_DECL void multipart_protocol::check(const waybill::job& job) const {
    require_no_independence(job);
}

// All files are checked before the first byte: one that changed ends the attempt now, not after gigabytes of the
// others.
WAYBILL_DECL asio::awaitable<void> multipart_protocol::restore(session& job) {
    if (job.find_checkpoint() != nullptr) {  // this version keeps none: a newer one does
        co_await doubt_checkpoint(job, checkpoint::whole_job);
    }
    for (std::size_t i = 0; i < job.items().size(); ++i) {
        if (job.items()[i].state.status != item_status::completed) {  // otherwise its bytes no longer matter
            static_cast<void>(job.open(i));
        }
    }
}

WAYBILL_DECL asio::awaitable<void> multipart_protocol::upload(session& job) {
    if (std::all_of(job.items().begin(), job.items().end(),
                    [](const item_record& i) { return i.state.status == item_status::completed; })) {
        co_return;  // the response was committed, the job's end was not: a crash in between
    }
    multipart_body body = lay_out(job, form_boundary(job), file_field_);
    request what;
    what.method = "POST";
    what.url = job.spec().url;
    what.headers.push_back(header_field{"Content-Type", body.content_type()});
    what.body = &body;
    what.see_other = true;
    const bool repeated = is_repeated_by_key(job, checkpoint::whole_job);
    what.spans = spans_of(body);
    const response got = co_await job.send(std::move(what));
    require_first_is_over(got, job, checkpoint::whole_job, repeated);
    job.require(got, checkpoint::whole_job, false);
    job.complete_all_soon(got.see_other ? redirect_text(got) : printable_excerpt(got.body, 256));
}

}  // namespace waybill::detail
