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

struct stored_rule {
    rule_key key;
    std::string value;
};

/// The rule of a row of kind, name, value and checksum; none when it is damaged.
[[nodiscard]] inline std::optional<stored_rule> read_rule(SQLite::Statement& row) {
    column_reader from(row);
    stored_rule read;
    read.key.kind = static_cast<rule_kind>(from.number());
    read.key.name = from.bytes();
    read.value = from.bytes();
    job_pause pause;
    std::string rates;
    const bool nameless = read.key.kind == rule_kind::hold_all || read.key.kind == rule_kind::limit_total;
    const bool sound =
        from.number() == static_cast<std::int64_t>(checksum(read.key, read.value)) && is_printable(read.key.name) &&
        (!nameless || read.key.name.empty()) &&
        (selection_of(read.key) ? decode(read.value, pause) : scope_of(read.key) && decode_rates(read.value, rates));
    return sound ? std::optional(std::move(read)) : std::nullopt;
}

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
    const auto row = sql("SELECT kind,name,value,crc FROM rule");
    while (row->executeStep()) {
        const auto read = read_rule(*row);
        if (!read) {
            continue;
        }
        if (const auto which = selection_of(read->key)) {
            hold& one = into.holds.emplace_back(hold{*which, {}});
            static_cast<void>(decode(read->value, one.pause));
        } else if (const auto what = scope_of(read->key)) {
            bandwidth_limit& one = into.limits.emplace_back(bandwidth_limit{*what, {}});
            static_cast<void>(decode_rates(read->value, one.rates));
        }
    }
}

/// Replaces damaged holds by one on all jobs, until somebody resumes them: whose it was may be the damaged part, and
/// nothing must be sent that may not be. A damaged limit is deleted.
WAYBILL_DECL void database::mend_rules() {
    std::vector<std::pair<std::int64_t, std::string>> damaged;
    bool holds = false;
    {
        const auto row = sql("SELECT kind,name,value,crc FROM rule");
        while (row->executeStep()) {
            if (!read_rule(*row)) {
                const std::int64_t kind = row->getColumn(0).getInt64();
                damaged.emplace_back(kind, row->getColumn(1).getString());
                holds = holds || kind < static_cast<std::int64_t>(rule_kind::limit_total);
            }
        }
    }
    if (damaged.empty()) {
        return;
    }
    std::vector<database_change> changes(1);
    changes[0].apply = [&] {
        for (const auto& [kind, name] : damaged) {
            remove_rule({static_cast<rule_kind>(kind), name});
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
