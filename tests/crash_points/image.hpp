// SPDX-License-Identifier: BSL-1.0
#pragma once

// What a power cut can leave of a recorded history.

#include <waybill/testing/seeded_random.hpp>

#include "support/recording_vfs.hpp"

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace waybill::test {

/// What becomes of writes that were never synced.
enum class unsynced : std::uint8_t { dropped, kept, torn };

/// The disk at one point of the history: what is safe, and what is still under way.
class disk_state {
public:
    using content = std::optional<std::string>;  // null: there is no such file

    /// What a file holds for certain.
    void holds(const std::string& name, content what) { files_[name] = {std::move(what), {}}; }

    void happens(const disk_operation& what) {
        using kind = disk_operation::kind;
        if (what.what == kind::mark) {
            return;
        }
        file& f = files_[what.file];
        if (what.what == kind::sync) {
            for (const disk_operation& one : f.pending) {
                apply(f.safe, one, [](std::size_t) { return true; });
            }
            f.pending.clear();
        } else if (what.what == kind::remove && what.offset != 0) {
            f = {};  // its directory was synced
        } else {
            f.pending.push_back(what);
        }
    }

    /// A possible image after a power cut.
    [[nodiscard]] std::map<std::string, content> image(unsynced fate, testing::seeded_random& random) const {
        std::map<std::string, content> result;
        for (const auto& [name, f] : files_) {
            content after = f.safe;
            for (const disk_operation& one : f.pending) {
                apply(after, one, [&](std::size_t) {
                    return fate == unsynced::kept || (fate == unsynced::torn && random.chance(0.5));
                });
            }
            result[name] = std::move(after);
        }
        return result;
    }

private:
    struct file {
        content safe;
        std::vector<disk_operation> pending;
    };

    /// `arrives` is asked for each sector of a write, once for everything else.
    template <class Arrives>
    static void apply(content& to, const disk_operation& what, Arrives arrives) {
        constexpr std::size_t sector = 512;
        using kind = disk_operation::kind;
        if (what.what == kind::remove) {
            if (arrives(0)) {
                to.reset();
            }
            return;
        }
        if (what.what == kind::truncate) {
            if (to && arrives(0)) {
                to->resize(static_cast<std::size_t>(what.offset));
            }
            return;
        }
        for (std::size_t at = 0; at < what.data.size();) {
            const std::size_t where = static_cast<std::size_t>(what.offset) + at;
            const std::size_t size = std::min(what.data.size() - at, sector - where % sector);
            if (arrives(where / sector)) {
                if (!to) {
                    to.emplace();
                }
                to->resize(std::max(to->size(), where + size));
                to->replace(where, size, what.data, at, size);
            }
            at += size;
        }
    }

    std::map<std::string, file> files_;
};

}  // namespace waybill::test
