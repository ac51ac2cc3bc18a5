// SPDX-License-Identifier: BSL-1.0
//
// A timetable that somebody typed: an accepted one has a rate at every time, which changes exactly when it says.

#include <waybill/error.hpp>
#include <waybill/transport/timetable.hpp>

#include "fuzz/property.hpp"

#include <string>

namespace waybill::fuzz {

void check(std::string_view input) {
    try {
        const timetable table(input);
        week_time now(0);
        const auto first = table.next_change(now);
        require(first.has_value() || table.rate_at(now) == table.rate_at(now + one_week / 2), "a rate is one rate");
        for (int changes = 0; first && changes < 100; ++changes) {
            const auto next = table.next_change(now);
            require(next && next->count() > 0 && *next <= one_week, "a change comes within a week");
            require(table.rate_at(now + *next - std::chrono::seconds(1)) == table.rate_at(now), "not before");
            require(table.rate_at(now + *next) != table.rate_at(now), "a change changes the rate");
            now += *next;
        }
        require(table.rate_at(now) == table.rate_at(now - one_week), "weeks are alike");
    } catch (const error& e) {
        require(e.code() == errc::invalid_option, "a mistake is an invalid option");
        require(!has_control(e.details().detail), "the error is printable");
    }
}

}  // namespace waybill::fuzz
