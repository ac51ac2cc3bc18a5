// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/store/detail/database.hpp>
#include <waybill/store/detail/rows.hpp>

#include <cstdint>
#include <exception>
#include <optional>
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

WAYBILL_DECL void database::read_rules(store_contents& into) {
    const auto row = sql(texts_.rules);
    while (row->executeStep()) {
        stored_rule read;
        if (!read_rule(*row, read)) {
            continue;
        }
        if (const auto which = selection_of(read.key)) {
            into.holds.push_back({*which, std::move(read.pause)});
        } else if (const auto what = scope_of(read.key)) {
            into.limits.push_back({*what, std::move(read.rates)});
        }
    }
}

/// Replaces damaged holds by one on all jobs, until somebody resumes them: whose it was may be the damaged part, and
/// nothing must be sent that may not be. A damaged limit is deleted. What is neither may have been a hold.
WAYBILL_DECL void database::mend_rules() {
    std::vector<rule_key> damaged;
    bool holds = false;
    {
        const auto row = sql(texts_.rules);
        while (row->executeStep()) {
            stored_rule read;
            if (!read_rule(*row, read)) {
                holds = holds || !scope_of(read.key);
                damaged.push_back(std::move(read.key));
            }
        }
    }
    if (damaged.empty()) {
        return;
    }
    std::vector<database_change> changes(1);
    changes[0].apply = [&] {
        for (const rule_key& key : damaged) {
            remove_rule(key);
        }
        if (holds) {
            put_hold({selection::all(), {{}, {}, "the record of a pause was damaged"}});
        }
    };
    static_cast<void>(transact(changes));
    if (changes[0].outcome) {
        std::rethrow_exception(changes[0].outcome);
    }
}

}  // namespace waybill::detail
