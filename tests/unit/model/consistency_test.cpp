// SPDX-License-Identifier: BSL-1.0
#include <waybill/model/consistency.hpp>

#include "support/catch.hpp"

#include <functional>
#include <vector>

namespace waybill::test {
namespace {

using detail::is_consistent;

job_state uploading() {
    job_state s;
    s.status = status::uploading;
    s.attempt = 3;
    s.failures = 2;
    s.intent = intent(3, 1);
    return s;
}

TEST_CASE("the states that an engine commits are consistent", "[model][consistency]") {
    CHECK(is_consistent(job_state(), 1));
    CHECK(is_consistent(uploading(), 2));
    job_state s = uploading();
    s.intent = intent(2, checkpoint::whole_job);
    CHECK(is_consistent(s, 2));
    s.status = status::waiting;
    s.reason = wait_reason::network;
    CHECK(is_consistent(s, 2));
    s.status = status::unknown_outcome;
    s.reason = wait_reason::none;
    s.error.code = errc::outcome_unknown;
    CHECK(is_consistent(s, 2));
    s.status = status::completed;
    s.error = {};
    s.intent.settle();
    CHECK(is_consistent(s, 2));
}

TEST_CASE("a state that breaks a rule is not consistent", "[model][consistency]") {
    const std::vector<std::function<void(job_state&)>> mistakes = {
        [](job_state& s) { s.epoch = 0; },
        [](job_state& s) { s.attempt = 1; },  // fewer than failed
        [](job_state& s) { s.failures = -1; },
        [](job_state& s) { s.reason = wait_reason::backoff; },
        [](job_state& s) { s.status = status::waiting; },
        [](job_state& s) { s.intent = intent(4, 1); },
        [](job_state& s) { s.intent = intent(3, 2); },
        [](job_state& s) { s.status = status::failed; },
        [](job_state& s) { s.status = status::unknown_outcome; },
        [](job_state& s) {
            s.status = status::completed;
            s.intent.settle();
            s.error.code = errc::connection_lost;
        },
    };
    for (std::size_t i = 0; i < mistakes.size(); ++i) {
        CAPTURE(i);
        job_state s = uploading();
        mistakes[i](s);
        CHECK_FALSE(is_consistent(s, 2));
    }
}

TEST_CASE("an item has no more confirmed than there is, and is completed with all of it", "[model][consistency]") {
    item_state s;
    CHECK(is_consistent(s, 10));
    s.confirmed = 10;
    CHECK(is_consistent(s, 10));
    CHECK_FALSE(is_consistent(s, 9));
    s.status = item_status::completed;
    CHECK(is_consistent(s, 10));
    CHECK_FALSE(is_consistent(s, 11));
}

}  // namespace
}  // namespace waybill::test
