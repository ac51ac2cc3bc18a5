// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/engine/run/attempt.hpp>
#include <waybill/source/recognition.hpp>

#include <optional>
#include <utility>

// Files whose changed metadata does not decide whether their content is the same.
namespace waybill::detail {

WAYBILL_DECL asio::awaitable<void> attempt::recognize_files() {
    sources_.clear_failures();
    const bool form_begun = find_checkpoint(checkpoint::whole_job) != nullptr;
    std::vector<std::size_t> asked;
    std::vector<item_spec> files;
    std::vector<bool> begun;
    for (std::size_t i = 0; i < whole_.items.size(); ++i) {
        const item_record& one = whole_.items[i];
        if (one.spec.kind != source_kind::bytes && one.state.status != item_status::completed) {
            asked.push_back(i);
            files.push_back(one.spec);
            begun.push_back(form_begun || find_checkpoint(i) != nullptr);
        }
    }
    const std::vector<recognition> found = co_await sources_.opener().recognize(std::move(files), begun);
    std::vector<item_spec> now;
    for (const item_record& one : whole_.items) {
        now.push_back(one.spec);
    }
    bool moved = false;
    for (std::size_t i = 0; i < asked.size(); ++i) {
        item_spec& spec = now[asked[i]];
        if (found[i].error) {
            diagnostics details;
            details.detail = spec.path;
            throw source_failure(found[i].error, std::move(details), asked[i]);
        }
        if (begun[i] && !found[i].certain) {
            co_await restart(asked[i]);
        }
        moved = moved || spec.identity != found[i].identity;
        spec.identity = found[i].identity;
        spec.content = found[i].content;
    }
    if (moved) {
        co_await repin(std::move(now));
    }
}

// Before the file is known by its new identity: after a crash in between, the abandoned upload is already deleted.
WAYBILL_DECL asio::awaitable<void> attempt::restart(std::size_t item) {
    if (in_doubt()) {
        diagnostics details;
        details.detail = whole_.items[item].spec.path;
        throw failure(disposition::retry, errc::file_touched, std::move(details), std::nullopt, item);
    }
    co_await discard(item, true);
    co_await discard(checkpoint::whole_job, true);
}

/// Makes durable by which identities the files are known from now on.
WAYBILL_DECL asio::awaitable<void> attempt::repin(std::vector<item_spec> found) {
    co_await pending_.commit_pins(found);
    for (std::size_t i = 0; i < found.size(); ++i) {
        whole_.items[i].spec = std::move(found[i]);
    }
}

}  // namespace waybill::detail
