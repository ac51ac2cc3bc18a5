// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/engine/run/attempt.hpp>
#include <waybill/protocol/http_rules.hpp>

#include <algorithm>
#include <optional>
#include <utility>

// How an attempt sends: requests that must not be repeated blindly have a gate before the last byte.
namespace waybill::detail {
/// What a response says about the request.
[[nodiscard]] inline finding finding_in(const verdict& v, const response& got, const job_spec& job) noexcept {
    if (v.what == disposition::ambiguous) {
        return finding::nothing;
    }
    if (v.accepted) {
        return finding::success;
    }
    // Where the key is honoured, 422 means that it is known, and with other bytes.
    const bool of_the_key = got.status == 422 && job.if_unknown == on_unknown::retry_same_key;
    return of_the_key ? finding::known_request : finding::refusal;
}

/// What an attempt does around each single request: the intent is recorded before it and settled after it, its transfer
/// is shown, and its result for the host and the connection is recorded.
class attempt::gated_request final : public single_request {
public:
    gated_request(attempt& owner, std::vector<body_span> spans, std::size_t about)
        : self_(owner), spans_(std::move(spans)), about_(about) {}

    void prepared(request& what) override {
        what.fresh_connection = what.fresh_connection || self_.fresh_;
        if (!what.idempotent) {
            self_.sender_.add_idempotency_key(what, self_.whole_.job, about_);
        }
        intends_ = !what.idempotent || what.finishing;
        if (intends_) {
            self_.require_no_other_doubt(about_);
            self_.intent_.begin_request();
        }
        // The response of a server that refuses early and hangs up may be lost, most of all over TLS: after some
        // connections were lost in mid-body, the server is asked first.
        constexpr int losses_until_asked = 3;
        const int losses = self_.whole_.job.state.early_cuts;
        what.expect_continue = what.expect_continue || (losses >= losses_until_asked && what.body_size() > 0);
        known_ = self_.in_doubt(about_);
    }

    transfer_progress& begin(request& what) override {
        // Checked again after a redirect: its response has settled the intent.
        const job_state& state = self_.whole_.job.state;
        if (intends_ && state.intent != intent(state.attempt, about_)) {
            what.before_last_byte = [&self = self_, about = about_] { return self.record_intent(about); };
        }
        transfer_.emplace(self_.shown_, spans_);
        return transfer_->progress;
    }

    // Interrupted before the connection stood, it cannot have arrived, though the intent of a small body is recorded
    // before.
    void interrupted() noexcept override {
        if (intends_ && !known_ && !transfer_->progress.connected) {
            self_.intent_.settle();
        }
        transfer_.reset();
    }

    void responded(const request& what, const response& got) override {
        const std::uint64_t sent = transfer_->progress.sent;
        transfer_.reset();
        const bool by_server = got.status != 0 && !concerns_host(make_http_error(got.status));
        self_.report_.contact(by_server || got.body_taken >= self_.options_.retry.prompt_bytes);
        count_losses(what, got, sent);
        const verdict v = judge(got, false);
        if (intends_) {
            const job_record& job = self_.whole_.job;
            self_.intent_.note(finding_in(v, got, job.spec), job.state.attempt, about_);
        }
        self_.sources_.require_intact(got, spans_);
    }

private:
    void count_losses(const request& what, const response& got, std::uint64_t sent) {
        const bool lost = got.status == 0 && got.failure == errc::connection_lost && !got.may_have_left;
        // Only a body is interrupted; the response to a query says nothing about the next one. And a limit that was
        // reported to `Expect` holds for the next request too, which may still exceed it.
        const bool limit_reported = what.expect_continue && got.status == 413;
        int& losses = self_.whole_.job.state.early_cuts;
        if (what.body_size() > 0 && !limit_reported) {
            losses = lost ? losses + 1 : 0;
        }
        if (lost && self_.find_checkpoint(about_) != nullptr) {
            self_.report_.cut_after(std::max(sent, got.body_taken));
        }
    }

    attempt& self_;
    const std::vector<body_span> spans_;
    const std::size_t about_;
    bool intends_ = false;  // it must not be repeated blindly
    bool known_ = false;    // an intent for the same stood before it
    std::optional<live_snapshot::transfer> transfer_;
};

WAYBILL_DECL asio::awaitable<response> attempt::send(request what, std::size_t about) {
    gated_request single(*this, what.spans, about);
    co_return co_await sender_.send(std::move(what), whole_.job.spec, single);
}

// The intent is durable before the last byte is sent: after a crash without it the server cannot
// have the whole body, and sending again is safe.
WAYBILL_DECL asio::awaitable<void> attempt::record_intent(std::size_t about) {
    intent_.record(whole_.job.state.attempt, about);
    co_await commit(whole_.job.state);
}

WAYBILL_DECL void attempt::require_no_other_doubt(std::size_t about) const {
    const job_state& state = whole_.job.state;
    if (intent_.forbids(state.attempt, about, whole_.items)) {
        throw failure(disposition::ambiguous, errc::outcome_unknown, {}, std::nullopt, state.intent.item());
    }
}

}  // namespace waybill::detail
