// SPDX-License-Identifier: BSL-1.0
#include <waybill/model/doubt.hpp>
#include <waybill/model/record.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace waybill::test {
namespace {

constexpr std::size_t whole = checkpoint::whole_job;

// What is lost by three requests for the same takes eight events.
constexpr std::size_t longest_of_form = 8;
constexpr std::size_t longest_of_items = 7;

enum class event : std::uint8_t {
    begin,     // the next attempt
    send,      // a request is sent, once its intent is committed
    lose,      // its response is lost: that ends the attempt
    refuse,    // it is refused
    know,      // it is refused, for the server knows an earlier one by its key
    accept,    // it is accepted
    save,      // a checkpoint is committed
    complete,  // an item is confirmed, and that is committed
    find_out,  // the server says that nothing of the item is there, and that is committed
    fail,      // the attempt ends by a failure that may pass
    give_up,   // by a final one
    fail_for,  // by one that says what became of an item's request
    crash,     // the process ends: what is committed is all there is
    retry,     // the app takes the risk
};

struct step {
    event what;
    std::size_t item = whole;
};

/// Knows no rule: it writes down which requests may have been carried out, and strikes out those of which that is
/// known. Whatever it does not commit, a crash takes away.
class history {
public:
    void sent(std::size_t about) {
        sent_.push_back({about, attempt_, false});
        commit();
    }
    void not_carried_out() { sent_.pop_back(); }
    void carried_out() { sent_.back().success = true; }
    void known_about(std::size_t item) {
        std::erase_if(sent_, [&](const request& r) { return item == whole || r.about == item; });
    }
    /// What became of every request for whatever a success was heard of.
    void success_kept() {
        for (const request& r : std::vector<request>(sent_)) {
            if (r.success) {
                known_about(r.about);
            }
        }
    }
    void commit() {
        committed_ = sent_;
        for (request& r : committed_) {
            r.success = false;
        }
    }
    void restart() { sent_ = committed_; }
    void next_attempt() { ++attempt_; }

    [[nodiscard]] bool may_have_arrived() const { return !sent_.empty(); }
    [[nodiscard]] bool may_have_arrived(std::size_t item) const { return has(sent_, item); }
    [[nodiscard]] bool is_known_to_disk() const { return !committed_.empty(); }
    [[nodiscard]] bool is_known_to_disk(std::size_t item) const { return has(committed_, item); }
    [[nodiscard]] bool success_waits() const {
        return std::any_of(sent_.begin(), sent_.end(), [](const request& r) { return r.success; });
    }
    /// Earlier attempts have left something in doubt which a request for `item` says nothing of.
    [[nodiscard]] bool other_is_in_doubt(std::size_t item) const {
        return std::any_of(sent_.begin(), sent_.end(),
                           [&](const request& r) { return r.about != item && r.attempt != attempt_ && !r.success; });
    }

private:
    struct request {
        std::size_t about;
        int attempt;
        bool success;
    };
    [[nodiscard]] static bool has(const std::vector<request>& all, std::size_t item) {
        return std::any_of(all.begin(), all.end(), [&](const request& r) { return r.about == item; });
    }

    std::vector<request> sent_;
    std::vector<request> committed_;
    int attempt_ = 0;
};

/// The rules, driven as an attempt drives them. Both what is in memory and what is on disk.
template <class Rules>
class job_in_doubt {
public:
    explicit job_in_doubt(std::size_t items) : items_(items) {}

    void begin() {
        ++attempt_;
        rules_.emplace(intent_);
    }
    [[nodiscard]] bool may_send(std::size_t about) const { return !rules_->forbids(attempt_, about, items_); }
    void send(std::size_t about) {
        rules_->begin_request();
        about_ = about;
        rules_->record(attempt_, about);
        commit();
    }
    void note(detail::finding said) { rules_->note(said, attempt_, about_); }
    void save() {
        rules_->keep();
        commit();
    }
    void complete(std::size_t item) {
        rules_->keep();
        rules_->settle(item);
        if (item < items_.size()) {
            items_[item].state.status = item_status::completed;
        }
        commit();
    }
    void find_out(std::size_t item) {
        rules_->settle(item);
        commit();
    }
    void fail(bool says_so, std::size_t item, bool final) {
        if (rules_->settled_by(says_so, item, final)) {
            intent_.settle();
        }
        commit();
        rules_.reset();
    }
    void crash() {
        rules_.reset();
        intent_ = disk_;
    }
    void retry() {
        intent_.settle();
        commit();
    }

    [[nodiscard]] const intent& in_memory() const { return intent_; }
    [[nodiscard]] const intent& on_disk() const { return disk_; }
    [[nodiscard]] bool is_completed(std::size_t item) const {
        return item < items_.size() && items_[item].state.status == item_status::completed;
    }

private:
    void commit() { disk_ = intent_; }

    intent intent_;
    intent disk_;
    std::vector<item_record> items_;
    std::optional<Rules> rules_;
    int attempt_ = 0;
    std::size_t about_ = whole;
};

/// Both of them, told the same.
template <class Rules>
class comparison {
public:
    /// A job of so many items, sent one by one; of none: a form, sent as a whole.
    explicit comparison(std::size_t items) : job_(items), items_(items) {}

    /// False: this cannot happen now. Protocols end an attempt whose answer was lost, and keep a success before they
    /// send the next request.
    [[nodiscard]] bool can(const step& s) const {
        const bool free = running_ && !in_flight_;
        switch (s.what) {
            case event::begin:
            case event::retry: return !running_;
            case event::send: return free && !seen_.success_waits() && !job_.is_completed(s.item);
            case event::lose:
            case event::refuse:
            case event::know:
            case event::accept: return in_flight_.has_value();
            case event::crash: return running_;
            case event::complete: return free && seen_.may_have_arrived(s.item);
            default: return free;
        }
    }

    void apply(const step& s) {
        switch (s.what) {
            case event::begin:
                seen_.next_attempt();
                job_.begin();
                running_ = true;
                break;
            case event::send: send(s.item); break;
            case event::lose:
                in_flight_.reset();
                fail(false, whole, false);
                break;
            case event::refuse:
                seen_.not_carried_out();
                note(detail::finding::refusal);
                break;
            case event::know:
                seen_.known_about(*in_flight_);
                note(detail::finding::known_request);
                break;
            case event::accept:
                seen_.carried_out();
                note(detail::finding::success);
                break;
            case event::save:
                seen_.success_kept();
                seen_.commit();
                job_.save();
                break;
            case event::complete:
                seen_.known_about(s.item);
                seen_.commit();
                job_.complete(s.item);
                break;
            case event::find_out:
                seen_.known_about(s.item);
                seen_.commit();
                job_.find_out(s.item);
                break;
            case event::fail: fail(false, whole, false); break;
            case event::give_up:
                seen_.success_kept();
                fail(false, whole, true);
                break;
            case event::fail_for:
                seen_.known_about(s.item);
                fail(true, s.item, false);
                break;
            case event::crash:
                seen_.restart();
                job_.crash();
                in_flight_.reset();
                running_ = false;
                break;
            case event::retry:
                seen_.known_about(whole);
                seen_.commit();
                job_.retry();
                break;
        }
    }

    [[nodiscard]] bool agree() const {
        bool same = sends_agree_ && job_.in_memory().stands() == seen_.may_have_arrived() &&
                    job_.on_disk().stands() == seen_.is_known_to_disk() &&
                    job_.in_memory().about(whole) == seen_.may_have_arrived(whole);
        for (std::size_t i = 0; i < items_; ++i) {
            same = same && job_.in_memory().about(i) == seen_.may_have_arrived(i) &&
                   job_.on_disk().about(i) == seen_.is_known_to_disk(i);
        }
        return same;
    }

private:
    void send(std::size_t item) {
        const bool may = job_.may_send(item);
        sends_agree_ = may == !seen_.other_is_in_doubt(item);
        if (!may) {
            fail(false, whole, false);
            return;
        }
        seen_.sent(item);
        job_.send(item);
        in_flight_ = item;
    }
    void note(detail::finding said) {
        job_.note(said);
        in_flight_.reset();
    }
    void fail(bool says_so, std::size_t item, bool final) {
        seen_.commit();
        seen_.restart();
        job_.fail(says_so, item, final);
        running_ = false;
    }

    history seen_;
    job_in_doubt<Rules> job_;
    std::size_t items_;
    bool running_ = false;
    bool sends_agree_ = true;
    std::optional<std::size_t> in_flight_;
};

[[nodiscard]] std::vector<step> every_step(std::size_t items) {
    std::vector<step> all;
    for (const event e : {event::begin, event::lose, event::refuse, event::know, event::accept, event::save,
                          event::fail, event::give_up, event::crash, event::retry}) {
        all.push_back({e});
    }
    for (const event e : {event::send, event::complete, event::find_out, event::fail_for}) {
        for (std::size_t i = 0; i < items; ++i) {
            all.push_back({e, i});
        }
        if (items == 0 || e == event::fail_for) {
            all.push_back({e, whole});
        }
    }
    return all;
}

[[nodiscard]] std::string told(const std::vector<step>& steps) {
    constexpr std::array<std::string_view, 14> names = {"begin",   "send",     "lose",     "refuse",   "know",
                                                        "accept",  "save",     "complete", "find out", "fail",
                                                        "give up", "fail for", "crash",    "retry"};
    std::string text;
    for (const step& s : steps) {
        text += (text.empty() ? "" : ", ") + std::string(names.at(static_cast<std::size_t>(s.what)));
        text += s.item == whole ? "" : " " + std::to_string(s.item);
    }
    return text;
}

struct walk_result {
    std::size_t sequences = 0;
    std::string disagreement;  // the first sequence after which the two do not say the same
};

/// Every sequence of that length, and every shorter one. Each is played from its beginning.
template <class Rules>
void walk(std::size_t items, std::size_t length, std::vector<step>& before, walk_result& result) {
    for (const step& next : every_step(items)) {
        comparison<Rules> both(items);
        for (const step& s : before) {
            both.apply(s);
        }
        if (!both.can(next)) {
            continue;
        }
        both.apply(next);
        before.push_back(next);
        ++result.sequences;
        if (!both.agree()) {
            result.disagreement = told(before);
        } else if (before.size() < length) {
            walk<Rules>(items, length, before, result);
        }
        before.pop_back();
        if (!result.disagreement.empty()) {
            return;
        }
    }
}

template <class Rules>
[[nodiscard]] walk_result walk(std::size_t items, std::size_t length) {
    walk_result result;
    std::vector<step> nothing;
    walk<Rules>(items, length, nothing, result);
    return result;
}

// Rules that are wrong, each in one place.

struct forgets_the_first : detail::running_intent {  // a refusal of the second request is taken for one of the first
    using running_intent::running_intent;
    void note(detail::finding said, int attempt, std::size_t about) noexcept {
        if (said == detail::finding::refusal) {
            settle();
        }
        running_intent::note(said, attempt, about);
    }
};
struct forgets_the_first_in_time : detail::running_intent {  // a refusal of the third is, in the attempt of the second
    explicit forgets_the_first_in_time(intent& recorded) noexcept : running_intent(recorded), now(recorded) {}
    void record(int attempt, std::size_t about) noexcept {
        repeats = now == intent(attempt, about);
        running_intent::record(attempt, about);
    }
    void note(detail::finding said, int attempt, std::size_t about) noexcept {
        if (said == detail::finding::refusal && repeats) {
            settle();
        }
        running_intent::note(said, attempt, about);
    }
    const intent& now;
    bool repeats = false;
};
struct never_hears_refusals : detail::running_intent {
    using running_intent::running_intent;
    void note(detail::finding said, int attempt, std::size_t about) noexcept {
        running_intent::note(said == detail::finding::refusal ? detail::finding::nothing : said, attempt, about);
    }
};
struct keeps_nothing_of_a_success : detail::running_intent {  // the intent goes before what the success brought is kept
    using running_intent::running_intent;
    void note(detail::finding said, int attempt, std::size_t about) noexcept {
        running_intent::note(said, attempt, about);
        keep();
    }
};
struct never_keeps : detail::running_intent {
    using running_intent::running_intent;
    void keep() noexcept {}
};
struct believes_too_early : detail::running_intent {  // any commit settles it
    using running_intent::running_intent;
    void keep() noexcept { settle(); }
};
struct settles_any_item : detail::running_intent {
    using running_intent::running_intent;
    void settle(std::size_t /*about*/) noexcept { running_intent::settle(); }
};
struct forbids_nothing : detail::running_intent {
    using running_intent::running_intent;
    template <class Items>
    [[nodiscard]] bool forbids(int /*attempt*/, std::size_t /*about*/, const Items& /*items*/) const {
        return false;
    }
};
struct forbids_every_item : detail::running_intent {
    using running_intent::running_intent;
    template <class Items>
    [[nodiscard]] bool forbids(int attempt, std::size_t /*about*/, const Items& items) const {
        return running_intent::forbids(attempt, whole, items);
    }
};
struct records_nothing : detail::running_intent {
    using running_intent::running_intent;
    void record(int /*attempt*/, std::size_t /*about*/) noexcept {}
};
struct believes_passing_failures : detail::running_intent {
    using running_intent::running_intent;
    [[nodiscard]] bool settled_by(bool says_so, std::size_t failed, bool /*final*/) const noexcept {
        return running_intent::settled_by(says_so, failed, true);
    }
};
struct believes_failures_of_others : detail::running_intent {
    using running_intent::running_intent;
    [[nodiscard]] bool settled_by(bool says_so, std::size_t /*failed*/, bool final) const noexcept {
        return running_intent::settled_by(says_so, whole, final);
    }
};

}  // namespace

TEST_CASE("whether an earlier request may have arrived is known after every sequence of events", "[model][doubt]") {
    const walk_result form = walk<detail::running_intent>(0, longest_of_form);
    CHECK(form.disagreement == "");
    CHECK(form.sequences > 50'000);
    const walk_result items = walk<detail::running_intent>(2, longest_of_items);
    CHECK(items.disagreement == "");
    CHECK(items.sequences > 50'000);
}

TEMPLATE_TEST_CASE("a wrong rule about what may have arrived is noticed", "[model][doubt]", forgets_the_first,
                   forgets_the_first_in_time, never_hears_refusals, keeps_nothing_of_a_success, never_keeps,
                   believes_too_early, settles_any_item, forbids_nothing, forbids_every_item, records_nothing,
                   believes_passing_failures, believes_failures_of_others) {
    const std::string found =
        walk<TestType>(0, longest_of_form).disagreement + walk<TestType>(2, longest_of_items).disagreement;
    INFO(found);
    CHECK(found != "");
}

namespace {

[[nodiscard]] std::vector<item_record> items_of(const std::string& letters) {
    std::vector<item_record> all;
    for (const char c : letters) {
        item_record one;
        one.state.status = c == 'c' ? item_status::completed : c == 'f' ? item_status::failed : item_status::pending;
        all.push_back(one);
    }
    return all;
}

}  // namespace

TEST_CASE("no intent stands at first, nor after it is settled", "[model][doubt]") {
    intent none;
    CHECK_FALSE(none.stands());
    CHECK_FALSE(none.about(whole));
    CHECK_FALSE(none.of_earlier_attempt(1));
    CHECK_FALSE(none.is_unconfirmed(items_of("pp")));
    CHECK_FALSE(none.is_for_one_of_several(items_of("pp")));

    intent one(3, 1);
    CHECK(one.stands());
    CHECK(one.about(1));
    CHECK_FALSE(one.about(0));
    CHECK_FALSE(one.about(whole));
    CHECK_FALSE(one.of_earlier_attempt(3));
    CHECK(one.of_earlier_attempt(4));
    one.settle();
    CHECK_FALSE(one.stands());
    CHECK_FALSE(one.about(1));
    CHECK_FALSE(one.of_earlier_attempt(4));
    CHECK_FALSE(one.is_unconfirmed(items_of("pp")));
    CHECK_FALSE(one.is_for_one_of_several(items_of("pp")));
    CHECK(one == intent(0, 1));  // the store writes both, also then
}

TEST_CASE("a failure settles what it includes", "[model][doubt]") {
    CHECK(intent(1, 2).within(2));
    CHECK(intent(1, 2).within(whole));
    CHECK_FALSE(intent(1, 2).within(1));
    CHECK(intent(1, whole).within(whole));
    CHECK_FALSE(intent(1, whole).within(0));
}

TEST_CASE("what is confirmed is not in doubt", "[model][doubt]") {
    CHECK(intent(1, 0).is_unconfirmed(items_of("pc")));
    CHECK(intent(1, 0).is_unconfirmed(items_of("fc")));
    CHECK_FALSE(intent(1, 0).is_unconfirmed(items_of("cp")));
    CHECK(intent(1, whole).is_unconfirmed(items_of("cp")));
    CHECK_FALSE(intent(1, whole).is_unconfirmed(items_of("cc")));
}

TEST_CASE("one item in doubt leaves the others to be sent", "[model][doubt]") {
    CHECK(intent(1, 0).is_for_one_of_several(items_of("pp")));
    CHECK(intent(1, 0).is_for_one_of_several(items_of("cp")));
    CHECK(intent(1, 2).is_for_one_of_several(items_of("cfp")));
    CHECK_FALSE(intent(1, 0).is_for_one_of_several(items_of("pc")));
    CHECK_FALSE(intent(1, 0).is_for_one_of_several(items_of("p")));
    CHECK_FALSE(intent(1, whole).is_for_one_of_several(items_of("pp")));
}

}  // namespace waybill::test
