// SPDX-License-Identifier: BSL-1.0
#include <waybill/detail/persistent_trie.hpp>

#include "support/catch.hpp"

#include <cstdint>
#include <deque>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <utility>
#include <vector>

namespace waybill::test {
namespace {

using detail::persistent_trie;
using number = std::uint64_t;
using value = std::shared_ptr<const int>;
using trie = persistent_trie<number, value>;

value make(int i) {
    return std::make_shared<const int>(i);
}

bool same(const trie& map, const std::map<number, value>& model) {
    if (map.size() != model.size()) {
        return false;
    }
    auto at = map.begin();
    for (const auto& [key, expected] : model) {
        if (at == map.end() || *at != expected || map.find(key) == nullptr || *map.find(key) != expected) {
            return false;
        }
        ++at;
    }
    return at == map.end();
}

void compare_with_std_map(number first, number keys, int steps, unsigned seed) {
    std::mt19937_64 random(seed);
    trie::builder map;
    std::map<number, value> model;
    // Versions of long ago, with what was in them: no later change may show in them.
    std::deque<std::pair<trie, std::map<number, value>>> history;
    for (int step = 0; step < steps; ++step) {
        const number key = first + random() % keys;
        if (random() % 5 < 3) {
            model[key] = make(step);
            map.set(key, model[key]);
        } else {
            map.remove(key);
            model.erase(key);
        }
        REQUIRE(map.size() == model.size());
        REQUIRE((map.find(key) != nullptr) == model.contains(key));
        if (step % 97 == 0) {
            history.emplace_back(map.share(), model);
            REQUIRE(same(history.back().first, model));
            if (history.size() > 40) {
                history.pop_front();
            }
        }
    }
    for (const auto& [old_map, old_model] : history) {
        CHECK(same(old_map, old_model));
    }
    for (const auto& [key, kept] : std::map<number, value>(model)) {
        map.remove(key);
    }
    CHECK(map.size() == 0);
    CHECK(map.share().begin() == trie::iterator());
    map.set(3, make(3));  // and it can be gone on with
    CHECK(**map.find(3) == 3);
}

TEST_CASE("a persistent trie is a map, and its old versions never change", "[detail][persistent_trie]") {
    SECTION("of few numbers, changed often") {
        compare_with_std_map(0, 50, 10'000, 1);
    }
    SECTION("of many numbers that begin late") {
        compare_with_std_map(1'000'000, 5'000, 20'000, 2);
    }
    SECTION("of numbers of every size") {
        compare_with_std_map(0, std::numeric_limits<number>::max(), 3'000, 3);
    }
}

TEST_CASE("an empty persistent trie has nothing", "[detail][persistent_trie]") {
    trie::builder map;
    map.remove(7);
    const trie empty = map.share();
    CHECK(empty.size() == 0);
    CHECK(empty.find(0) == nullptr);
    CHECK(empty.find(std::numeric_limits<number>::max()) == nullptr);
    CHECK(empty.begin() == empty.end());
}

TEST_CASE("numbers beyond the highest one are not found", "[detail][persistent_trie]") {
    trie::builder map;
    map.set(7, make(7));
    for (const number key : {number{15}, number{71}, number{7} << 32}) {
        CHECK(map.find(key) == nullptr);
        map.remove(key);
    }
    CHECK(map.size() == 1);
}

TEST_CASE("a trie's iterators are forward iterators in ascending order", "[detail][persistent_trie]") {
    trie::builder made;
    for (const int key : {500, 1, 9, 3, 70}) {
        made.set(static_cast<number>(key), make(key));
    }
    const trie map = made.share();
    std::vector<int> seen;
    for (const value& each : map) {
        seen.push_back(*each);
    }
    CHECK(seen == std::vector<int>{1, 3, 9, 70, 500});
    CHECK(std::distance(map.begin(), map.end()) == 5);
    auto at = map.begin();
    const auto before = at++;
    CHECK(**before == 1);
    CHECK(**at == 3);
    CHECK(at != before);
    CHECK(++map.begin() == at);
}

TEST_CASE("what a trie has let go of is freed when its last version goes", "[detail][persistent_trie]") {
    const value watched = make(1);
    trie::builder map;
    map.set(5, watched);
    {
        const trie old = map.share();
        map.remove(5);
        CHECK(watched.use_count() == 2);
        CHECK(*old.find(5) == watched);
    }
    CHECK(watched.use_count() == 1);
}

}  // namespace
}  // namespace waybill::test
