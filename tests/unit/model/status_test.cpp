// SPDX-License-Identifier: BSL-1.0
#include <waybill/model/status.hpp>

#include "support/catch.hpp"

#include <array>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace waybill::test {
namespace {

using waybill::status;

constexpr std::array<status, 9> every_status = {
    status::pending,         status::uploading, status::finalizing, status::waiting,  status::paused,
    status::unknown_outcome, status::completed, status::failed,     status::canceled,
};

// Written from the lifecycle's meaning, not from the code's table: who may be followed by whom.
const std::set<std::pair<std::string_view, std::string_view>> allowed = {
    // Accepted: it is begun, or it is found in the middle after a restart, or it never begins.
    {"pending", "uploading"},
    {"pending", "finalizing"},
    {"pending", "unknown_outcome"},
    {"pending", "paused"},
    {"pending", "failed"},
    {"pending", "canceled"},
    // Running: every way an attempt can end, and a stop of the uploader.
    {"uploading", "pending"},
    {"uploading", "finalizing"},
    {"uploading", "waiting"},
    {"uploading", "paused"},
    {"uploading", "unknown_outcome"},
    {"uploading", "completed"},
    {"uploading", "failed"},
    {"uploading", "canceled"},
    // The same, but what is confirmed is not uploaded again.
    {"finalizing", "pending"},
    {"finalizing", "waiting"},
    {"finalizing", "paused"},
    {"finalizing", "unknown_outcome"},
    {"finalizing", "completed"},
    {"finalizing", "failed"},
    {"finalizing", "canceled"},
    // Between attempts: as if it were pending, and back to pending when retried early.
    {"waiting", "pending"},
    {"waiting", "uploading"},
    {"waiting", "finalizing"},
    {"waiting", "unknown_outcome"},
    {"waiting", "paused"},
    {"waiting", "failed"},
    {"waiting", "canceled"},
    // Set aside: it goes back to its queue or ends.
    {"paused", "pending"},
    {"paused", "waiting"},
    {"paused", "failed"},
    {"paused", "canceled"},
    // Nobody knows: it is resolved one way or the other, or repeated at a risk.
    {"unknown_outcome", "pending"},
    {"unknown_outcome", "completed"},
    {"unknown_outcome", "failed"},
    {"unknown_outcome", "canceled"},
    // Final, but for an explicit retry of what was not delivered.
    {"failed", "pending"},
    {"canceled", "pending"},
};

TEST_CASE("a status goes only where the lifecycle leads it", "[model][status]") {
    for (const status from : every_status) {
        for (const status to : every_status) {
            INFO(to_string(from) << " to " << to_string(to));
            CHECK(can_become(from, to) == allowed.contains({to_string(from), to_string(to)}));
        }
    }
}

TEST_CASE("a completed job stays completed for ever", "[model][status]") {
    for (const status to : every_status) {
        INFO(to_string(to));
        CHECK_FALSE(can_become(status::completed, to));
    }
}

TEST_CASE("a final job can only be retried", "[model][status]") {
    for (const status from : every_status) {
        if (is_terminal(from)) {
            for (const status to : every_status) {
                INFO(to_string(from) << " to " << to_string(to));
                CHECK((to == status::pending || !can_become(from, to)));
            }
        }
    }
}

TEST_CASE("every job that is not final can be canceled", "[model][status]") {
    for (const status from : every_status) {
        INFO(to_string(from));
        CHECK(can_become(from, status::canceled) == !is_terminal(from));
    }
}

TEST_CASE("a status no version ever wrote leads nowhere", "[model][status]") {
    for (const int value : {9, 10, 31, 255}) {
        for (const status to : every_status) {
            CHECK_FALSE(can_become(static_cast<status>(value), to));
        }
    }
}

TEST_CASE("a status is final, set aside, or open, and only one of them", "[model][status]") {
    const std::set<status> terminal = {status::completed, status::failed, status::canceled};
    const std::set<status> parked = {status::paused, status::unknown_outcome};
    for (const status s : every_status) {
        INFO(to_string(s));
        CHECK(is_terminal(s) == terminal.contains(s));
        CHECK(is_parked(s) == parked.contains(s));
        CHECK(is_open(s) == !(terminal.contains(s) || parked.contains(s)));
    }
}

TEST_CASE("the numbers of statuses are those that stores on disk have", "[model][status]") {
    for (std::size_t i = 0; i < every_status.size(); ++i) {
        CHECK(static_cast<std::size_t>(every_status[i]) == i);
    }
    CHECK(status_count == every_status.size());
    // The store's partial indexes rely on this order: open, parked, final.
    CHECK(static_cast<int>(status::waiting) < 4);
    CHECK(static_cast<int>(status::completed) > 5);

    CHECK(static_cast<int>(wait_reason::none) == 0);
    CHECK(static_cast<int>(wait_reason::backoff) == 1);
    CHECK(static_cast<int>(wait_reason::network) == 2);
    CHECK(static_cast<int>(wait_reason::credentials) == 3);
    CHECK(static_cast<int>(wait_reason::server_busy) == 4);
    CHECK(static_cast<int>(item_status::pending) == 0);
    CHECK(static_cast<int>(item_status::completed) == 2);
    CHECK(static_cast<int>(item_status::failed) == 3);
}

TEST_CASE("every status, reason and item status has a name of its own", "[model][status]") {
    std::set<std::string_view> names;
    for (const status s : every_status) {
        names.insert(to_string(s));
    }
    CHECK(names.size() == every_status.size());
    CHECK_FALSE(names.contains("?"));
    CHECK(to_string(static_cast<status>(99)) == "?");

    std::set<std::string_view> reasons;
    for (int i = 0; i <= 4; ++i) {
        reasons.insert(to_string(static_cast<wait_reason>(i)));
    }
    CHECK(reasons == std::set<std::string_view>{"none", "backoff", "network", "credentials", "server_busy"});
    CHECK(to_string(static_cast<wait_reason>(last_wait_reason + 1)) == "?");

    std::set<std::string_view> items;
    for (int i = 0; i <= 3; ++i) {
        items.insert(to_string(static_cast<item_status>(i)));
    }
    CHECK(items == std::set<std::string_view>{"pending", "uploading", "completed", "failed"});
    CHECK(to_string(static_cast<item_status>(4)) == "?");
}

}  // namespace
}  // namespace waybill::test
