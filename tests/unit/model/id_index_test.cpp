// SPDX-License-Identifier: BSL-1.0
#include <waybill/model/id_index.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>

namespace waybill::test {
namespace {

/// Two ids of one hash: among some hundred numbered ones there are.
std::pair<job_id, job_id> of_one_hash() {
    std::unordered_map<std::uint32_t, job_id> seen;
    for (int i = 0;; ++i) {
        const job_id id("job-" + std::to_string(i));
        const auto [known, added] = seen.try_emplace(detail::hash_of(id), id);
        if (!added) {
            return {known->second, id};
        }
    }
}

TEST_CASE("ids of one hash are kept beside each other, and removed one by one", "[model][id_index]") {
    const auto [a, b] = of_one_hash();
    REQUIRE(a != b);
    detail::id_index::builder index;
    detail::add_id(index, a, job_seq{1});
    const detail::id_index before = index.share();
    detail::add_id(index, b, job_seq{2});
    const std::uint32_t hash = detail::hash_of(a);

    REQUIRE(index.find(hash) != nullptr);
    CHECK(**index.find(hash) == detail::same_hash{job_seq{1}, job_seq{2}});
    CHECK(**before.find(hash) == detail::same_hash{job_seq{1}});

    detail::remove_id(index, a, job_seq{1});
    CHECK(**index.find(hash) == detail::same_hash{job_seq{2}});
    detail::remove_id(index, b, job_seq{2});
    CHECK(index.find(hash) == nullptr);
    CHECK(index.size() == 0);
    detail::remove_id(index, b, job_seq{2});  // it is not there
    CHECK(index.size() == 0);
}

TEST_CASE("the ids of 100,000 jobs are spread over the index", "[model][id_index]") {
    detail::id_index::builder index;
    constexpr std::int64_t many = 100'000;
    for (std::int64_t i = 1; i <= many; ++i) {
        detail::add_id(index, job_id("upload:2026-" + std::to_string(i)), job_seq{i});
    }
    std::size_t most = 0;
    const detail::id_index made = index.share();
    for (const auto& same : made) {
        most = std::max(most, same->size());
    }
    CHECK(made.size() > 80'000);  // even chance gives 83,000 places
    CHECK(most < 12);
}

}  // namespace
}  // namespace waybill::test
