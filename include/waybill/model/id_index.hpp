// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/persistent_trie.hpp>
#include <waybill/model/ids.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace waybill::detail {

/// The numbers of the jobs whose ids have the same hash. Apps choose ids, so there may be more than one: compare the
/// ids.
using same_hash = std::vector<job_seq>;

/// Finds jobs by their ids.
using id_index = persistent_trie<std::uint32_t, std::shared_ptr<const same_hash>>;

/// Of 18 bits: six levels of the trie, and hardly two of 100,000 jobs in one place.
[[nodiscard]] inline std::uint32_t hash_of(const job_id& id) noexcept {
    constexpr std::uint64_t golden_ratio = 0x9E3779B97F4A7C15U;  // std::hash need not spread its bits
    return static_cast<std::uint32_t>((std::hash<job_id>{}(id)*golden_ratio) >> (64 - 18));
}

inline void add_id(id_index::builder& index, const job_id& id, job_seq seq) {
    const std::uint32_t hash = hash_of(id);
    const auto* const known = index.find(hash);
    auto next = known == nullptr ? std::make_shared<same_hash>() : std::make_shared<same_hash>(**known);
    next->push_back(seq);
    index.set(hash, std::move(next));
}

inline void remove_id(id_index::builder& index, const job_id& id, job_seq seq) {
    const std::uint32_t hash = hash_of(id);
    if (const auto* const known = index.find(hash)) {
        auto next = std::make_shared<same_hash>(**known);
        std::erase(*next, seq);
        if (next->empty()) {
            index.remove(hash);
        } else {
            index.set(hash, std::move(next));
        }
    }
}

}  // namespace waybill::detail
