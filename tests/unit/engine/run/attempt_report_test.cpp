// SPDX-License-Identifier: BSL-1.0
#include <waybill/engine/run/attempt_report.hpp>

#include "support/catch.hpp"

namespace waybill::test {
namespace {

using detail::attempt_report;

TEST_CASE("an attempt that was told nothing reports nothing", "[engine][attempt_report]") {
    const attempt_report report;
    CHECK_FALSE(report.progressed());
    CHECK_FALSE(report.contacted());
    CHECK_FALSE(report.host_responded());
    CHECK(report.gained() == 0);
    CHECK(report.unacknowledged() == 0);
}

TEST_CASE("bytes that are confirmed for the first time are gained", "[engine][attempt_report]") {
    attempt_report report;
    CHECK(report.confirm(0, 10, 30));
    CHECK(report.confirm(1, 0, 5));
    CHECK_FALSE(report.confirm(1, 5, 5));
    CHECK(report.progressed());
    CHECK(report.gained() == 25);
}

TEST_CASE("bytes that the server has lost and gets again are not gained", "[engine][attempt_report]") {
    attempt_report report;
    CHECK_FALSE(report.confirm(0, 100, 40));
    CHECK_FALSE(report.confirm(0, 40, 100));
    CHECK_FALSE(report.progressed());
    CHECK(report.confirm(0, 100, 130));
    CHECK(report.gained() == 30);
    CHECK_FALSE(report.confirm(0, 130, 0));
    CHECK_FALSE(report.confirm(0, 0, 130));
    CHECK(report.gained() == 30);
}

TEST_CASE("a host that was heard once in an attempt stays heard", "[engine][attempt_report]") {
    attempt_report report;
    report.contact(false);
    CHECK(report.contacted());
    CHECK_FALSE(report.host_responded());
    report.contact(true);
    report.contact(false);
    CHECK(report.host_responded());
}

TEST_CASE("what connections took before they broke adds up, and is no progress", "[engine][attempt_report]") {
    attempt_report report;
    report.cut_after(7);
    report.cut_after(8);
    CHECK(report.unacknowledged() == 15);
    CHECK_FALSE(report.progressed());
}

}  // namespace
}  // namespace waybill::test
