// SPDX-License-Identifier: BSL-1.0
#include <waybill/engine/lifecycle.hpp>

#include "support/catch.hpp"

namespace waybill::test {
namespace {

using detail::lifecycle;
using need = lifecycle::need;
using phase = lifecycle::phase;

lifecycle opened() {
    lifecycle life;
    life.begin_opening();
    life.opened();
    return life;
}

TEST_CASE("a lifecycle is opened by the first who needs it, and the others wait", "[engine][lifecycle]") {
    lifecycle life;
    CHECK(life.is(phase::closed));
    CHECK(life.needs() == need::to_open);
    CHECK_FALSE(life.is_readable());
    life.begin_opening();
    CHECK(life.needs() == need::to_wait);
    CHECK(life.is_readable());
    CHECK_FALSE(life.is_open());
    life.opened();
    CHECK(life.needs() == need::nothing);
    CHECK(life.is_open());
    CHECK(life.opened_before());
}

TEST_CASE("a lifecycle whose opening failed is opened by the next who needs it", "[engine][lifecycle]") {
    lifecycle life;
    life.begin_opening();
    life.failed_to_open();
    CHECK(life.needs() == need::to_open);
    CHECK_FALSE(life.opened_before());
}

TEST_CASE("a failed store that nobody delivers from is opened by who needs it", "[engine][lifecycle]") {
    lifecycle life = opened();
    CHECK(life.find_failed());
    CHECK(life.is(phase::closed));
    CHECK(life.needs() == need::to_open);
    CHECK_FALSE(life.find_failed());
}

TEST_CASE("a failed store that is delivered from is opened anew by who delivers", "[engine][lifecycle]") {
    lifecycle life = opened();
    life.begin_delivering();
    const bool found_first = GENERATE(false, true);
    if (found_first) {
        CHECK(life.find_failed());
        CHECK_FALSE(life.find_failed());
        CHECK(life.needs() == need::to_wait);
    }
    CHECK(life.lose());
    CHECK(life.is(phase::lost));
    CHECK(life.needs() == need::to_wait);
    CHECK(life.close_lost());
    CHECK(life.needs() == need::to_open);
    CHECK_FALSE(life.close_lost());
}

TEST_CASE("a lifecycle is reopened three times in a row without a commit in between", "[engine][lifecycle]") {
    lifecycle life = opened();
    life.begin_delivering();
    for (int i = 0; i < 3; ++i) {
        CHECK(life.may_reopen());
    }
    const bool committed = GENERATE(false, true);
    if (committed) {
        life.committed();
    }
    CHECK(life.may_reopen() == committed);
}

TEST_CASE("who begins to deliver may reopen as often as the one before", "[engine][lifecycle]") {
    lifecycle life = opened();
    life.begin_delivering();
    for (int i = 0; i < 4; ++i) {
        static_cast<void>(life.may_reopen());
    }
    life.end_delivering();
    CHECK_FALSE(life.delivering());
    life.begin_delivering();
    CHECK(life.delivering());
    CHECK(life.may_reopen());
}

TEST_CASE("a stop that is asked for while the store is being opened waits", "[engine][lifecycle]") {
    lifecycle life;
    life.begin_opening();
    life.ask_to_stop();
    CHECK(life.stop_asked());
    CHECK(life.stop_must_wait());
    life.opened();
    CHECK_FALSE(life.stop_must_wait());
    CHECK(life.begin_stopping());
}

TEST_CASE("a stop closes a store that was opened, also one that is lost", "[engine][lifecycle]") {
    lifecycle life;
    bool to_close = false;
    SECTION("closed") {}
    SECTION("open") {
        life = opened();
        to_close = true;
    }
    SECTION("lost") {
        life = opened();
        CHECK(life.lose());
        to_close = true;
    }
    SECTION("found failed by one who does not deliver") {
        life = opened();
        CHECK(life.find_failed());
    }
    CHECK(life.begin_stopping() == to_close);
    CHECK(life.stop_must_wait());
    CHECK(life.needs() == need::to_leave);
    life.stopped();
    CHECK_FALSE(life.stop_must_wait());
    CHECK(life.needs() == need::to_leave);
}

TEST_CASE("a store that fails while everything is being stopped is not opened anew", "[engine][lifecycle]") {
    lifecycle life = opened();
    life.begin_delivering();
    static_cast<void>(life.begin_stopping());
    CHECK_FALSE(life.find_failed());
    CHECK_FALSE(life.lose());
    CHECK_FALSE(life.close_lost());
    CHECK(life.is(phase::stopping));
}

}  // namespace
}  // namespace waybill::test
