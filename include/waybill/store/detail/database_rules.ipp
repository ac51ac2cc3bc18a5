// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/store/detail/database.hpp>
#include <waybill/store/detail/rows.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

// What concerns many jobs at once.
namespace waybill::detail {

WAYBILL_DECL void database::put_rule(const rule_key& key, const std::string& value) {
    const auto row = sql("INSERT OR REPLACE INTO rule(kind,name,value,crc) VALUES(?,?,?,?)");
    binder to(*row);
    to << key.kind;
    to.text(key.name).blob(value) << checksum(key, value);
    row->exec();
}

WAYBILL_DECL void database::remove_rule(const rule_key& key) {
    const auto row = sql("DELETE FROM rule WHERE kind=? AND name=?");
    binder to(*row);
    to << key.kind;
    to.text(key.name);
    row->exec();
}

WAYBILL_DECL void database::put_hold(const hold& what) {
    put_rule(key_of(what.which), encode(what.pause));
}

WAYBILL_DECL void database::remove_hold(const selection& which) {
    remove_rule(key_of(which));
}

WAYBILL_DECL void database::put_limit(const bandwidth_limit& what) {
    put_rule(key_of(what.what), encode_rates(what.rates));
}

WAYBILL_DECL void database::remove_limit(const limit_scope& what) {
    remove_rule(key_of(what));
}

/// A damaged hold holds its jobs until somebody resumes them: nothing is sent that may not be. A damaged limit is none.
WAYBILL_DECL void database::read_rules(store_contents& into) {
    const auto row = sql("SELECT kind,name,value,crc FROM rule");
    while (row->executeStep()) {
        column_reader from(*row);
        const rule_key key{static_cast<rule_kind>(from.number()), from.bytes()};
        const std::string value = from.bytes();
        const bool sound = from.number() == static_cast<std::int64_t>(checksum(key, value));
        if (const auto which = selection_of(key)) {
            hold& one = into.holds.emplace_back(hold{*which, {}});
            if (!sound || !decode(value, one.pause)) {
                one.pause = {};
                one.pause.why = "the record of this pause was damaged";
            }
        } else if (const auto what = scope_of(key)) {
            bandwidth_limit one{*what, {}};
            if (sound && decode_rates(value, one.rates)) {
                into.limits.push_back(std::move(one));
            }
        }
    }
}

}  // namespace waybill::detail
