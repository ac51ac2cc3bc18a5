// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/model/checkpoint.hpp>
#include <waybill/model/status.hpp>

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>

// May an earlier request have arrived? All that is known about it, and every rule, is in this file. Pure.
namespace waybill {

/// The intent record: durably states that a request may arrive from now on.
///
/// It is committed before the last byte of a request that must not be repeated blindly is sent. Without one the server
/// cannot have the whole request, and it may be sent again. While one stands and the result of the request is not
/// known, its outcome is in doubt: the job must not fail, and nothing is sent again unless the policy says so.
///
/// A job has one intent, so an item in doubt is resolved before another item's intent is recorded.
class intent {
public:
    /// No intent stands.
    constexpr intent() noexcept = default;

    /// Recorded by an attempt, for an item or for `checkpoint::whole_job`. Attempts count from 1; 0 means that none
    /// stands.
    constexpr intent(int attempt, std::size_t item) noexcept : attempt_(attempt), item_(item) {}

    [[nodiscard]] constexpr bool stands() const noexcept { return attempt_ != 0; }

    /// It stands, and the request was for this item, or for the whole job.
    [[nodiscard]] constexpr bool about(std::size_t item) const noexcept { return stands() && item_ == item; }

    /// It stands, and was recorded by an earlier attempt than the running one.
    [[nodiscard]] constexpr bool of_earlier_attempt(int now) const noexcept { return stands() && attempt_ != now; }

    /// Whether the failed part, an item or the whole job, includes what the request was for.
    [[nodiscard]] constexpr bool within(std::size_t failed) const noexcept {
        return failed == checkpoint::whole_job || failed == item_;
    }

    /// It stands, and what the request was for is not confirmed yet.
    ///
    /// @param items the job's `item_record`s: record.hpp, which defines them, needs this file first.
    template <class Items>
    [[nodiscard]] bool is_unconfirmed(const Items& items) const {
        const auto open = [](const auto& one) { return one.state.status != item_status::completed; };
        if (!stands()) {
            return false;
        }
        return item_ < items.size() ? open(items[item_]) : std::any_of(items.begin(), items.end(), open);
    }

    /// It stands for one item, and others are still to be sent.
    template <class Items>
    [[nodiscard]] bool is_for_one_of_several(const Items& items) const {
        const auto open = [](const auto& one) { return one.state.status != item_status::completed; };
        return stands() && item_ < items.size() &&
               std::count_if(items.begin(), items.end(), open) > (open(items[item_]) ? 1 : 0);
    }

    /// The result of the request is known, or the app accepts the risk. Must be committed together with what resolved
    /// it: if it were committed first, a crash just after that would send again what has arrived.
    constexpr void settle() noexcept { attempt_ = 0; }

    // The stored values. A settled intent still has its item: the column is written unchanged.
    [[nodiscard]] constexpr int attempt() const noexcept { return attempt_; }
    [[nodiscard]] constexpr std::size_t item() const noexcept { return item_; }

    constexpr bool operator==(const intent&) const noexcept = default;

private:
    int attempt_ = 0;
    std::size_t item_ = checkpoint::whole_job;
};

namespace detail {

/// What a response says about its request.
enum class finding : std::uint8_t {
    nothing,        ///< there is none, or it does not say: the request may have been carried out
    refusal,        ///< this request was not carried out
    known_request,  ///< nor was this one, because the server knows an earlier one by the same key
    success,        ///< it was carried out
};

/// A job's intent while an attempt runs, and the result that was received but is not committed yet.
///
/// That result is deliberately not stored. A success settles the intent only in the commit that keeps its result: if
/// the attempt is stopped or killed in between, the next one finds the intent and queries the server.
class running_intent {
public:
    /// `recorded` belongs to the state that the next commit writes.
    explicit running_intent(intent& recorded) noexcept : recorded_(recorded) {}
    running_intent(const running_intent&) = delete;
    running_intent& operator=(const running_intent&) = delete;
    ~running_intent() = default;

    /// A request with an intent starts. An earlier success that was not kept no longer counts.
    void begin_request() noexcept { success_ = false; }

    /// The request must not start: an earlier attempt has left another item in doubt, and that record would be
    /// overwritten.
    template <class Items>
    [[nodiscard]] bool forbids(int attempt, std::size_t about, const Items& items) const {
        const bool earlier = recorded_.of_earlier_attempt(attempt) || inherited_;
        return earlier && !success_ && recorded_.item() != about && recorded_.item() < items.size() &&
               recorded_.is_unconfirmed(items);
    }

    /// To be committed before the request's last byte is sent.
    void record(int attempt, std::size_t about) noexcept {
        assert(attempt > 0 && recorded_.attempt() <= attempt);
        inherited_ = repeats_earlier(attempt, about);
        recorded_ = intent(attempt, about);
        success_ = false;
    }

    /// The response to a request that has an intent. A refusal settles it, unless a request of an earlier attempt may
    /// have arrived as well: a refusal of this one says nothing about that one.
    void note(finding said, int attempt, std::size_t about) noexcept {
        if (said == finding::success) {
            success_ = true;
        } else if (said == finding::known_request || (said == finding::refusal && !repeats_earlier(attempt, about))) {
            settle();
        }
    }

    /// The result of a success is part of the next commit; the intent is cleared in the same commit.
    void keep() noexcept {
        if (success_) {
            settle();
        }
    }

    void settle() noexcept {
        recorded_.settle();
        success_ = false;
        inherited_ = false;
    }

    /// The same, if it is about this item.
    void settle(std::size_t about) noexcept {
        if (recorded_.about(about)) {
            settle();
        }
    }

    /// Whether the commit of a failure settles the intent: yes if the failure says so and includes what the intent is
    /// about, or if it is final and follows a success. A temporary one does not: the result of the success has not been
    /// kept.
    [[nodiscard]] bool settled_by(bool says_so, std::size_t failed, bool final) const noexcept {
        return (says_so && recorded_.within(failed)) || (success_ && final);
    }

private:
    // A request of an earlier attempt, for the same item, may have arrived as well.
    [[nodiscard]] bool repeats_earlier(int attempt, std::size_t about) const noexcept {
        return recorded_.about(about) && (inherited_ || recorded_.of_earlier_attempt(attempt));
    }

    intent& recorded_;
    bool success_ = false;    // received, and not kept
    bool inherited_ = false;  // recorded by this attempt in place of an earlier attempt's
};

}  // namespace detail
}  // namespace waybill
