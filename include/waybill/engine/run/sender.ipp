// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/engine/run/requests.hpp>
#include <waybill/engine/run/sender.hpp>

#include <exception>
#include <string>
#include <utility>
#include <vector>

namespace waybill::detail {

WAYBILL_DECL asio::awaitable<response> sender::send(request what, const job_spec& job, single_request& each) {
    const std::vector<std::string> secrets = prepare(what, job, options_);
    what.lane = job.lane;
    what.job = job.id.str();
    each.prepared(what);
    for (int redirects = 0;; ++redirects) {
        transfer_progress& progress = each.begin(what);
        response got = co_await perform(what, progress, each);
        hide_secrets(got, secrets);
        take_redirect(what, got, secrets);
        each.responded(what, got);
        if (!redirected(what, got, redirects)) {
            got.url = what.url;
            co_return got;
        }
    }
}

WAYBILL_DECL asio::awaitable<response> sender::perform(const request& what, transfer_progress& progress,
                                                       single_request& each) {
    try {
        co_return co_await transport_.perform(what, progress);
    } catch (...) {
        each.interrupted();
        throw;
    }
}

WAYBILL_DECL void sender::add_idempotency_key(request& what, const job_record& job, std::size_t about) const {
    if (!options_.key_header.empty()) {
        const std::string quote = options_.key_quoted ? "\"" : "";
        what.headers.push_back(header_field{options_.key_header, quote + key_of(what, job, about) + quote});
    }
}

}  // namespace waybill::detail
