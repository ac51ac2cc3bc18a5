// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/protocol/s3/protocol.hpp>
#include <waybill/protocol/shared/independent_items.hpp>
#include <waybill/protocol/shared/target.hpp>

#include <utility>

namespace waybill::detail {

WAYBILL_DECL s3_protocol::s3_protocol(s3_settings settings, s3_credentials_provider keys)
    : settings_(std::move(settings)), endpoint_(std::make_shared<s3_endpoint>(settings_, std::move(keys))) {}

WAYBILL_DECL void s3_protocol::check(const waybill::job& job) const {
    if (!settings_.signs_payload && url(job.url()).scheme() != "https") {
        throw error(errc::invalid_setting, "s3: payload = unsigned is only for https");
    }
    if (!is_put_template(job.url()) && job.items().size() > 1) {
        throw error(errc::invalid_url, "several items need a URL that ends in / or contains {name}");
    }
    for (const item& i : job.items()) {
        check_s3_url(put_target(job.url(), true, i.name()));
    }
    if (job.items().size() > 1) {
        require_different_names(job);
    }
    for (const auto& [name, value] : job.headers()) {
        check_s3_header(name, value, settings_);
    }
    check_s3_metadata(job.fields());
}

WAYBILL_DECL bool s3_protocol::takes_header(const std::string& /*url*/, std::string_view name) const {
    return find_s3_object_setting(name) != nullptr;
}

WAYBILL_DECL asio::awaitable<void> s3_protocol::upload(session& job) {
    independent_items items(job);
    while (const auto i = items.next()) {
        try {
            const auto next = std::make_shared<s3_item>(job, *i, settings_, endpoint_);
            co_await next->deliver();
        } catch (const failure& f) {
            items.failed(*i, f);
        }
    }
    items.finish();
}

// A part that is still being sent when its upload is aborted may be kept after all: the abort is repeated until the
// server no longer knows the upload.
WAYBILL_DECL asio::awaitable<void> s3_protocol::discard(exchange& server, const leftover& what) {
    const std::optional<s3_state> state = decode_s3_state(what.reached.state);
    if (!state || state->delivered || what.reached.resource.empty()) {
        co_return;
    }
    const std::string nothing = to_hex(digest_of("sha-256", ""));
    request remove;
    remove.method = "DELETE";
    remove.url = what.reached.resource;
    remove.idempotent = true;
    add_headers(remove.headers, what.job.headers, s3_header::every);
    const s3_response removed = co_await endpoint_->send(server, std::move(remove), nothing, what.reached.item);
    if (removed.http.status == 404) {
        co_return;
    }
    require_accepted(removed, unix_seconds(server.now()), what.reached.item);

    request list;
    list.method = "GET";
    list.url = what.reached.resource + "&max-parts=1";
    list.idempotent = true;
    add_headers(list.headers, what.job.headers, s3_header::every);
    const s3_response got = co_await endpoint_->send(server, std::move(list), nothing, what.reached.item);
    const verdict v = judge(got, true);
    // If the keys may not list, or the server does not list parts, nothing more can be done.
    const bool never = v.what == disposition::permanent && !v.accepted && v.code.category() == http_category();
    if (never || (v.accepted && !parse_part_list(got.http.body, ""))) {
        co_return;
    }
    require_accepted(got, unix_seconds(server.now()), what.reached.item);
    detail::fail(got, verdict{false, disposition::retry, errc::invalid_response}, unix_seconds(server.now()),
                 what.reached.item, "the upload is still there after it was aborted");
}

}  // namespace waybill::detail
