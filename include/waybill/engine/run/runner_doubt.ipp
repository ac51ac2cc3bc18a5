// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/engine/run/runner.hpp>
#include <waybill/protocol/http_rules.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <string>
#include <utility>

// Jobs that may have arrived: the server or the app's backend is asked, and the result applied.
namespace waybill::detail {

WAYBILL_DECL bool runner::has_verifier(const job_record& job) const {
    return with_.options.verifiers.contains(job.spec.verifier);
}

WAYBILL_DECL bool runner::can_probe(const job_record& job) const {
    try {
        return with_.parts.protocols.make(job.effective_protocol())->can_probe();
    } catch (const error&) {
        return false;  // unknown here: the pipeline will report it
    }
}

/// Asks the app for the outcome of a request whose response was lost. False when that resolved it.
WAYBILL_DECL asio::awaitable<bool> runner::ask_backend(attempt& job, diagnostics why) {
    const auto hook = with_.options.verifiers.find(job.job().spec.verifier);
    verification said = verification::unknown;
    std::exception_ptr thrown;
    try {
        job_snapshot about = job.observe();
        if (job.in_doubt()) {
            about.error.item = job.job().state.intent.item();
        }
        said = co_await hook->second(about);
    } catch (...) {
        thrown = std::current_exception();
    }
    if (thrown && (co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none) {
        std::rethrow_exception(thrown);
    }
    job_state next = job.job().state;
    switch (said) {
        case verification::not_delivered:
            next.intent.settle();
            co_await job.commit(std::move(next));
            co_return true;
        case verification::delivered:
            if (job.job().state.intent.is_for_one_of_several(job.items())) {
                co_await complete_doubtful(job);
                co_return true;  // the others are still to be sent
            }
            job.complete_all_soon("verified");
            next = decide().completed(std::move(next));
            break;
        case verification::unknown:
            next =
                decide().failed(std::move(next), failure(disposition::ambiguous, errc::outcome_unknown, std::move(why)),
                                outcome::doubt::ask, {});
            break;
    }
    co_await job.commit(std::move(next));
    co_return false;
}

/// The item whose request was in doubt was delivered.
WAYBILL_DECL asio::awaitable<void> runner::complete_doubtful(attempt& job) {
    const std::size_t item = job.job().state.intent.item();
    std::string receipt = "verified";
    if (job.find_checkpoint(item) == nullptr) {
        co_await job.complete_item(item, std::move(receipt));
    } else {
        // One commit: a checkpoint of a completed item would be taken for something to clean up.
        job.complete_item_soon(item, std::move(receipt));
        co_await job.discard(item, false);
    }
}

WAYBILL_DECL outcome::doubt runner::doubt_about(const job_record& job, bool may_probe) const {
    const job_spec& spec = job.spec;
    if ((may_probe && can_probe(job)) || has_verifier(job)) {
        return outcome::doubt::ask;
    }
    // If it were sent again, a conditional request could fail because its first copy succeeded, and the job would be
    // reported as failed.
    const bool conditional =
        std::any_of(spec.headers.begin(), spec.headers.end(), [](const auto& h) { return is_condition(h.first); });
    if (!may_probe && conditional) {
        return outcome::doubt::park;
    }
    // If even the server does not know, a key is no help: it is sent again as a new request.
    const auto again = may_probe ? outcome::doubt::repeat : outcome::doubt::duplicate;
    switch (spec.if_unknown) {
        case on_unknown::park: return outcome::doubt::park;
        case on_unknown::retry_same_key: return again;
        default: return outcome::doubt::duplicate;
    }
}

}  // namespace waybill::detail
