// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/http/representation.hpp>
#include <waybill/http/url.hpp>
#include <waybill/protocol/resumable/protocol.hpp>
#include <waybill/protocol/shared/adoption.hpp>
#include <waybill/protocol/shared/form.hpp>
#include <waybill/protocol/shared/independent_items.hpp>
#include <waybill/protocol/shared/target.hpp>
#include <waybill/protocol/shared/undecodable.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

namespace waybill::detail {

[[nodiscard]] inline bool is_done(const item_record& i) noexcept {
    return i.state.status == item_status::completed;
}

/// True also without a checkpoint. Whether it belongs to these bytes is checked when they are open.
[[nodiscard]] inline bool decodes(const session& job, std::size_t about) {
    const checkpoint* const known = job.find_checkpoint(about);
    return known == nullptr || resumable_state::decode(known->state).has_value();
}

WAYBILL_DECL resumable_protocol::resumable_protocol(const protocol_spec& spec) : how_(spec) {}

WAYBILL_DECL void resumable_protocol::check(const waybill::job& job) const {
    if (how_.form) {
        require_no_independence(job);
        return;
    }
    if (!job.fields().empty()) {
        throw error(errc::invalid_field, "fields need resumable{}.as_form()");
    }
    check_adoption(job, how_.upload_url);
    if (how_.method == "PUT") {
        require_targets(job);
    }
}

// A file that changed ends the attempt now, not after gigabytes of its neighbours in the form.
WAYBILL_DECL asio::awaitable<void> resumable_protocol::restore(session& job) {
    if (how_.form && !decodes(job, checkpoint::whole_job)) {
        co_await doubt_checkpoint(job, checkpoint::whole_job);
    }
    for (std::size_t i = 0; how_.form && i < job.items().size(); ++i) {
        if (!is_done(job.items()[i])) {  // otherwise its bytes no longer matter
            static_cast<void>(job.open(i));
        }
    }
}

WAYBILL_DECL asio::awaitable<void> resumable_protocol::upload(session& job) {
    if (how_.form) {
        if (!std::all_of(job.items().begin(), job.items().end(), is_done)) {
            resumable_upload one(job, how_, form(job));
            std::string receipt = co_await one.deliver();
            job.complete_all_soon(std::move(receipt));
        }
        co_return;
    }
    independent_items items(job);
    while (const auto i = items.next()) {
        try {
            co_await upload_item(job, *i);
        } catch (const failure& f) {
            items.failed(*i, f);
        }
    }
    items.finish();
}

WAYBILL_DECL asio::awaitable<void> resumable_protocol::upload_item(session& job, std::size_t index) const {
    if (!decodes(job, index)) {
        co_await doubt_checkpoint(job, index);
    }
    resumable_upload one(job, how_, item(job, index));
    std::string receipt = co_await one.deliver();
    // One commit: a checkpoint of a completed item would be taken for something to clean up.
    job.complete_item_soon(index, receipt);
    if (job.find_checkpoint(index) != nullptr) {
        co_await job.discard(index, false);
    } else {
        co_await job.complete_item(index, std::move(receipt));
    }
}

WAYBILL_DECL representation resumable_protocol::form(session& job) const {
    const checkpoint* const known = job.find_checkpoint(checkpoint::whole_job);
    const auto state = known == nullptr ? std::nullopt : resumable_state::decode(known->state);
    representation what;
    what.boundary = state && !state->boundary.empty() ? state->boundary : form_boundary(job);
    auto body = std::make_unique<multipart_body>(lay_out(job, what.boundary, how_.file_field));
    what.method = how_.method;
    what.url = job.spec().url;
    what.headers.push_back(header_field{"Content-Type", body->content_type()});
    for (std::size_t i = 0; i < body->items().size(); ++i) {
        what.parts.push_back({i, body->items()[i].offset, body->items()[i].size});
    }
    what.body = std::move(body);
    return what;
}

WAYBILL_DECL representation resumable_protocol::item(session& job, std::size_t index) const {
    const item_spec& spec = job.items()[index].spec;
    representation what;
    what.about = index;
    what.method = how_.method;
    what.url = put_target(job.spec().url, how_.method == "PUT", spec.name);
    what.headers.push_back(header_field{"Content-Type", spec.content_type});
    what.headers.push_back(header_field{"Content-Disposition", inline_disposition(spec.name)});
    what.body = job.open(index);
    what.parts.push_back({index, 0, spec.size});
    return what;
}

WAYBILL_DECL asio::awaitable<void> resumable_protocol::discard(exchange& server, const leftover& what) {
    const auto state = resumable_state::decode(what.reached.state);
    if (what.reached.resource.empty() || url(what.reached.resource).origin() != url(what.job.url).origin()) {
        co_return;
    }
    request asked;
    asked.method = "DELETE";
    asked.url = what.reached.resource;
    asked.headers.push_back(interop_header(state ? state->interop : how_.interop));
    asked.idempotent = true;
    asked.conditional = false;
    const response got = co_await server.send(std::move(asked));
    if (got.status != 404 && got.status != 410) {
        server.require(got);
    }
}

}  // namespace waybill::detail
