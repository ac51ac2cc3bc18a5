// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/protocol/failure.hpp>
#include <waybill/protocol/session.hpp>

#include <cstddef>
#include <optional>
#include <utility>

// A checkpoint that the protocol cannot decode: a newer version wrote it, or it is damaged.
namespace waybill::detail {

/// The content of such a checkpoint is not known. It may have said that everything has arrived, without an intent: an
/// intent that a checkpoint settles is cleared in the same commit. So the outcome is in doubt, and never "no upload was
/// created".
///
/// Throws an ambiguous `failure`, and records an intent before that: the job's policy or the app decides, as after a
/// response that was lost. Completes when the decision is to send the upload again: then the checkpoint is deleted. To
/// be awaited before the item's file is opened: a file that has changed must not end a job that may have arrived.
inline asio::awaitable<void> doubt_checkpoint(session& job, std::size_t about) {
    checkpoint known = *job.find_checkpoint(about);
    if (known.doubted && !job.in_doubt()) {
        co_await job.discard(about, true);
        co_return;
    }
    diagnostics why;
    why.detail = "the stored state of the upload cannot be decoded: it is damaged, or a newer version wrote it";
    const intent& standing = job.state().intent;
    std::size_t first = about;
    if (!standing.about(about) && standing.is_unconfirmed(job.items())) {
        first = standing.item();  // a job has one intent: that one is settled first
    } else if (!known.doubted) {
        known.doubted = true;
        co_await job.save_with_intent(std::move(known));
    }
    throw failure(disposition::ambiguous, errc::outcome_unknown, std::move(why), std::nullopt, first);
}

}  // namespace waybill::detail
