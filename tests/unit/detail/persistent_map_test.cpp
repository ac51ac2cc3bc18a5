// SPDX-License-Identifier: BSL-1.0
#include <waybill/detail/persistent_map.hpp>

#include "support/catch.hpp"

#include <cmath>
#include <cstddef>
#include <deque>
#include <functional>
#include <iterator>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace waybill::test {
namespace {

// All of one priority: the map degenerates to a list and must still be right.
struct colliding {
    int value = 0;
    auto operator<=>(const colliding&) const = default;
};

// Copies are counted: every node that is made anew copies its value.
struct counted {
    static inline std::size_t copies = 0;
    int value = 0;
    counted() = default;
    explicit counted(int v) : value(v) {}
    counted(const counted& other) : value(other.value) { ++copies; }
    counted(counted&&) = default;
    counted& operator=(const counted&) = default;
    counted& operator=(counted&&) = default;
    ~counted() = default;
};

}  // namespace
}  // namespace waybill::test

template <>
struct std::hash<waybill::test::colliding> {
    std::size_t operator()(const waybill::test::colliding&) const noexcept { return 42; }
};

namespace waybill::test {
namespace {

using detail::persistent_map;

template <class Key, class Value>
bool same(const persistent_map<Key, Value>& map, const std::map<Key, Value>& model) {
    if (map.size() != model.size()) {
        return false;
    }
    auto at = map.begin();
    for (const auto& [key, value] : model) {
        if (at == map.end() || *at != value || map.find(key) == nullptr || *map.find(key) != value) {
            return false;
        }
        ++at;
    }
    return at == map.end();
}

template <class Key, class MakeKey>
void compare_with_std_map(MakeKey make_key, int keys, int steps, unsigned seed) {
    std::mt19937 random(seed);
    typename persistent_map<Key, int>::builder map;
    std::map<Key, int> model;
    // Versions of long ago, with what was in them: no later change may show in them.
    std::deque<std::pair<persistent_map<Key, int>, std::map<Key, int>>> history;
    for (int step = 0; step < steps; ++step) {
        const Key key = make_key(static_cast<int>(random() % static_cast<unsigned>(keys)));
        if (random() % 5 < 3) {
            map.set(key, step);
            model[key] = step;
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
    // Emptied again, key by key.
    for (const auto& [key, value] : std::map<Key, int>(model)) {
        map.remove(key);
    }
    CHECK(map.size() == 0);
    CHECK(map.share().begin() == map.share().end());
}

TEST_CASE("a persistent map is a map, and its old versions never change", "[detail][persistent_map]") {
    SECTION("of few numbers, changed often") {
        compare_with_std_map<int>([](int i) { return i; }, 50, 10'000, 1);
    }
    SECTION("of many numbers") {
        compare_with_std_map<int>([](int i) { return i * 7919; }, 5'000, 20'000, 2);
    }
    SECTION("of texts") {
        compare_with_std_map<std::string>([](int i) { return "job-" + std::to_string(i); }, 1'000, 10'000, 3);
    }
    SECTION("of keys whose hashes are all the same") {
        compare_with_std_map<colliding>([](int i) { return colliding{i}; }, 60, 4'000, 4);
    }
}

TEST_CASE("an empty persistent map has nothing", "[detail][persistent_map]") {
    const persistent_map<int, int> map;
    CHECK(map.size() == 0);
    CHECK(map.find(1) == nullptr);
    CHECK(map.begin() == map.end());
    persistent_map<int, int>::builder empty;
    empty.remove(1);
    CHECK(empty.share().size() == 0);
}

TEST_CASE("replacing a value does not add one", "[detail][persistent_map]") {
    persistent_map<int, std::string>::builder map;
    map.set(1, "old");
    const auto first = map.share();
    map.set(1, "new");
    const auto second = map.share();
    CHECK(second.size() == 1);
    CHECK(*second.find(1) == "new");
    CHECK(*first.find(1) == "old");
}

TEST_CASE("iterators are forward iterators in ascending order of keys", "[detail][persistent_map]") {
    persistent_map<int, int>::builder made;
    for (const int key : {5, 1, 9, 3, 7}) {
        made.set(key, key * 10);
    }
    const persistent_map<int, int> map = made.share();
    CHECK(std::vector<int>(map.begin(), map.end()) == std::vector<int>{10, 30, 50, 70, 90});
    CHECK(std::distance(map.begin(), map.end()) == 5);

    auto at = map.begin();
    const auto before = at++;
    CHECK(*before == 10);
    CHECK(*at == 30);
    CHECK(at != before);
    CHECK(++map.begin() == at);
    CHECK(*at.operator->() == 30);
    CHECK(persistent_map<int, int>::iterator() == map.end());
}

TEST_CASE("a change makes a few new nodes, however large the map is", "[detail][persistent_map]") {
    persistent_map<int, counted>::builder map;
    constexpr int size = 20'000;
    for (int i = 0; i < size; ++i) {
        map.set(i, counted(i));
    }
    std::vector<persistent_map<int, counted>> shared;
    std::mt19937 random(5);
    constexpr int changes = 1'000;
    counted::copies = 0;
    for (int i = 0; i < changes; ++i) {
        const int key = static_cast<int>(random() % size);
        map.remove(key);
        map.set(key, counted(i));
        shared.push_back(map.share());
    }
    // A treap's path is about 1.39 log2(n) long, 20 here; a removal and an insertion go along it
    // a few times. Copying a thousandth of the map would be 20 already: the bound is far from n.
    const double each = static_cast<double>(counted::copies) / changes;
    CHECK(each > 0);
    CHECK(each < 6 * std::log2(size));
    CHECK(map.size() == size);
}

}  // namespace
}  // namespace waybill::test
