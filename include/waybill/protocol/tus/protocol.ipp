// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/protocol/shared/adoption.hpp>
#include <waybill/protocol/shared/independent_items.hpp>
#include <waybill/protocol/tus/protocol.hpp>

#include <optional>
#include <set>
#include <string>
#include <utility>

namespace waybill::detail {

WAYBILL_DECL tus_protocol::tus_protocol(const protocol_spec& spec) : tus_protocol(parse_tus_settings(spec)) {}
WAYBILL_DECL tus_protocol::tus_protocol(tus_settings settings) : settings_(std::move(settings)) {}

WAYBILL_DECL void tus_protocol::check(const waybill::job& job) const {
    check_adoption(job, settings_.upload_url);
    std::set<std::string> keys;
    for (const auto& [key, value] : job.fields()) {
        if (!is_tus_key(key) || !keys.insert(key).second) {
            throw error(errc::invalid_field,
                        "'" + printable_excerpt(key, 64) +
                            "': a key of tus metadata is ASCII without spaces and commas, and there once");
        }
    }
    for (const item& i : job.items()) {
        if (tus_metadata(job.fields(), i.name(), i.content_type()).size() > 8000) {
            throw error(errc::invalid_field, "fields and name are too long for a header; tus takes 8000 characters");
        }
    }
}

WAYBILL_DECL asio::awaitable<void> tus_protocol::upload(session& job) {
    independent_items items(job);
    while (const auto i = items.next()) {
        try {
            const auto next = std::make_shared<tus_item>(job, *i, settings_, server_);
            co_await next->deliver();
        } catch (const failure& f) {
            items.failed(*i, f);
        }
    }
    items.finish();
}

// Termination. If a server refuses to remove an upload, or has removed it itself, nothing more is done.
WAYBILL_DECL asio::awaitable<void> tus_protocol::discard(exchange& server, const leftover& what) {
    const std::optional<tus_state> state = decode_tus_state(what.reached.state);
    if (!state || state->delivered) {
        co_return;
    }
    std::set<std::string> urls = {state->final_url};
    for (const tus_part& p : state->parts) {
        urls.insert(p.url);
    }
    urls.erase("");
    std::optional<failure> failed;
    for (const std::string& target : urls) {
        request remove = tus_request("DELETE", target, settings_.override_method);
        const response got = co_await server.send(std::move(remove));
        const verdict v = judge(got, true);
        if (!v.accepted && v.what != disposition::permanent) {
            failed.emplace(v.what, v.code, describe(got), parse_retry_after(got, unix_seconds(server.now())));
        }
    }
    if (failed) {
        throw failure(*failed);
    }
}

}  // namespace waybill::detail
