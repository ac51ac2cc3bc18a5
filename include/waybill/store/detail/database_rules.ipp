// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/store/detail/database.hpp>
#include <waybill/store/detail/rows.hpp>
#include <waybill/store/detail/rule_format.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

// What concerns many jobs at once.
namespace waybill::detail {

WAYBILL_DECL void database::put_hold(const hold& what) {
    const auto [kind, name] = key_of(what.which);
    const std::string value = encode(what.pause);
    const auto row = sql("INSERT OR REPLACE INTO rule(kind,name,value,crc) VALUES(?,?,?,?)");
    binder to(*row);
    to << kind;
    to.text(name).blob(value) << checksum(kind, name, value);
    row->exec();
}

WAYBILL_DECL void database::remove_hold(const selection& which) {
    const auto [kind, name] = key_of(which);
    const auto row = sql("DELETE FROM rule WHERE kind=? AND name=?");
    binder to(*row);
    to << kind;
    to.text(name);
    row->exec();
}

/// A damaged one holds its jobs until somebody resumes them: nothing is sent that may not be.
WAYBILL_DECL std::vector<hold> database::read_holds() {
    std::vector<hold> found;
    const auto row = sql("SELECT kind,name,value,crc FROM rule");
    while (row->executeStep()) {
        column_reader from(*row);
        const std::int64_t kind = from.number();
        const std::string name = from.bytes();
        const std::string value = from.bytes();
        const bool lane = kind == static_cast<std::int64_t>(rule_kind::hold_lane);
        hold one;
        one.which = lane ? selection::lane(name) : selection::all();
        const bool sound =
            from.number() == static_cast<std::int64_t>(checksum(static_cast<rule_kind>(kind), name, value));
        if (!sound || !decode(value, one.pause)) {
            one.pause = {};
            one.pause.why = "the record of this pause was damaged";
        }
        found.push_back(std::move(one));
    }
    return found;
}

}  // namespace waybill::detail
