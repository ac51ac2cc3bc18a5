// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

namespace waybill::detail {

/// An immutable map from numbers to pointers, made by a builder, in ascending order. The maps a builder has shared have
/// all nodes except one path in common.
///
/// A radix tree: a path has one node for each three bits of the highest number, and a node has eight pointers. For
/// consecutive numbers, such as jobs', that is half of what a balanced tree copies for each change.
///
/// `Value`: a pointer; null means that there is none.
template <class Key, class Value>
class persistent_trie {
    static constexpr unsigned bits = 3;
    static constexpr std::size_t width = 1U << bits;

    struct node;
    using link = std::shared_ptr<node>;
    using branch = std::array<link, width>;
    using leaf = std::array<Value, width>;
    struct node {
        std::uint64_t edit;  ///< of the builder that made it: no other object has it before that builder shares it
        std::variant<branch, leaf> of;
    };

public:
    class builder;

    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    [[nodiscard]] const Value* find(Key key) const noexcept {
        const auto number = static_cast<std::uint64_t>(key);
        if (!root_ || !holds(number, height_)) {
            return nullptr;
        }
        const node* at = root_.get();
        for (unsigned level = height_ - 1; level > 0 && at != nullptr; --level) {
            at = std::get_if<branch>(&at->of)->at(digit(number, level)).get();
        }
        if (at == nullptr) {
            return nullptr;
        }
        const Value& found = std::get_if<leaf>(&at->of)->at(digit(number, 0));
        return found ? &found : nullptr;
    }

    /// In ascending order of keys; valid while the map lives.
    class iterator {
    public:
        using iterator_category = std::forward_iterator_tag;
        using value_type = Value;
        using difference_type = std::ptrdiff_t;
        using pointer = const Value*;
        using reference = const Value&;

        iterator() = default;
        reference operator*() const noexcept { return *value_; }
        pointer operator->() const noexcept { return value_; }
        iterator& operator++() {
            ++path_.back().second;
            settle();
            return *this;
        }
        iterator operator++(int) {
            iterator before = *this;
            ++*this;
            return before;
        }
        bool operator==(const iterator& other) const noexcept { return value_ == other.value_; }

    private:
        friend persistent_trie;
        explicit iterator(const node* root) {
            if (root != nullptr) {
                path_.emplace_back(root, 0);
                settle();
            }
        }

        /// To the value at the end of the path, or the first one behind it.
        void settle() {
            value_ = nullptr;
            while (!path_.empty() && value_ == nullptr) {
                auto& [at, place] = path_.back();
                if (place == width) {
                    path_.pop_back();
                    if (!path_.empty()) {
                        ++path_.back().second;
                    }
                } else if (const leaf* const values = std::get_if<leaf>(&at->of)) {
                    if ((*values)[place]) {
                        value_ = &(*values)[place];
                    } else {
                        ++place;
                    }
                } else if (const node* const below = (*std::get_if<branch>(&at->of))[place].get()) {
                    path_.emplace_back(below, 0);
                } else {
                    ++place;
                }
            }
        }

        std::vector<std::pair<const node*, std::size_t>> path_;
        const Value* value_ = nullptr;
    };

    [[nodiscard]] iterator begin() const { return iterator(root_.get()); }
    [[nodiscard]] iterator end() const { return {}; }

private:
    [[nodiscard]] static constexpr std::size_t digit(std::uint64_t number, unsigned level) noexcept {
        return static_cast<std::size_t>(number >> (level * bits)) & (width - 1);
    }
    [[nodiscard]] static constexpr bool holds(std::uint64_t number, unsigned height) noexcept {
        return height * bits >= 64 || number >> (height * bits) == 0;
    }

    link root_;
    unsigned height_ = 0;
    std::size_t size_ = 0;
};

/// Changes its own map, in place as far as it is not shared: shared nodes stay unchanged.
template <class Key, class Value>
class persistent_trie<Key, Value>::builder {
public:
    builder() = default;
    builder(const builder&) = delete;
    builder& operator=(const builder&) = delete;
    ~builder() = default;

    [[nodiscard]] std::size_t size() const noexcept { return map_.size_; }
    [[nodiscard]] const Value* find(Key key) const noexcept { return map_.find(key); }

    /// `value` is not null.
    void set(Key key, Value value) {
        const auto number = static_cast<std::uint64_t>(key);
        while (map_.height_ == 0 || !holds(number, map_.height_)) {
            grow();
        }
        map_.size_ += find(key) == nullptr ? 1 : 0;
        link* at = &map_.root_;
        for (unsigned level = map_.height_ - 1; level > 0; --level) {
            at = &std::get_if<branch>(&own(*at, level).of)->at(digit(number, level));
        }
        std::get_if<leaf>(&own(*at, 0).of)->at(digit(number, 0)) = std::move(value);
    }

    void remove(Key key) {
        if (find(key) != nullptr) {
            map_.size_ -= 1;
            erase(map_.root_, static_cast<std::uint64_t>(key), map_.height_ - 1);
        }
        if (!map_.root_) {
            map_.height_ = 0;
        }
    }

    void clear() { map_ = {}; }

    /// The map as it is now.
    [[nodiscard]] persistent_trie share() {
        ++edit_;
        return map_;
    }

private:
    /// One more level on top: all existing numbers have a zero in front.
    void grow() {
        if (map_.root_) {
            branch above;
            above[0] = std::move(map_.root_);
            map_.root_ = std::make_shared<node>(node{edit_, std::move(above)});
        }
        ++map_.height_;
    }

    /// The node, to be changed: a new one where there is none, a copy if it has been shared.
    node& own(link& at, unsigned level) const {
        if (!at) {
            at = level == 0 ? std::make_shared<node>(node{edit_, leaf()})
                            : std::make_shared<node>(node{edit_, branch()});
        } else if (at->edit != edit_) {
            at = std::make_shared<node>(node{edit_, at->of});
        }
        return *at;
    }

    /// An empty node is removed, too.
    void erase(link& at, std::uint64_t number, unsigned level) const {
        const std::size_t place = digit(number, level);
        const auto clear_in = [&](auto& places) {
            bool empty = true;
            for (const auto& held : places) {
                empty = empty && !held;
            }
            if (empty) {
                at.reset();
            }
        };
        node& mine = own(at, level);
        if (leaf* const values = std::get_if<leaf>(&mine.of)) {
            (*values)[place] = nullptr;
            clear_in(*values);
        } else {
            branch& below = *std::get_if<branch>(&mine.of);
            erase(below[place], number, level - 1);
            clear_in(below);
        }
    }

    persistent_trie map_;
    std::uint64_t edit_ = 1;
};

}  // namespace waybill::detail
