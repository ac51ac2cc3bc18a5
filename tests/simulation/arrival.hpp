// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/body/body_source.hpp>
#include <waybill/transport/request.hpp>
#include <waybill/transport/response.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

namespace waybill::simulation {

/// A request on its way in: the server has read its head, its body comes. The server has its last byte when it
/// has left, whoever is alive then. Its end before `answer` is a connection that broke.
class arrival {
public:
    explicit arrival(const request& what) : announced_(what.body_size()) {}
    arrival(const arrival&) = delete;
    arrival& operator=(const arrival&) = delete;
    virtual ~arrival() = default;

    void receives(std::span<const char> bytes) {
        arrived_ += bytes.size();
        take(bytes);
        if (arrived_ == announced_ && announced_ != 0) {
            finish();
        }
    }
    response answer() {
        if (announced_ == 0) {
            finish();
        }
        return reply();
    }
    /// What is said before the body has come; nothing, if it is empty.
    virtual header_list interim() { return {}; }
    /// The client has got this answer.
    virtual void heard(const header_list& /*headers*/) {}

protected:
    [[nodiscard]] std::uint64_t announced() const noexcept { return announced_; }

private:
    virtual void take(std::span<const char> bytes) = 0;
    virtual void finish() = 0;
    virtual response reply() = 0;

    std::uint64_t announced_;
    std::uint64_t arrived_ = 0;
};

/// A body that the server reads along with. Of what is handed over, no more than `most` leaves; the rest waits.
class overheard final : public body_source {
public:
    overheard(body_source& inner, arrival& there, std::uint64_t most) : inner_(inner), there_(there), most_(most) {}
    [[nodiscard]] std::uint64_t size() const noexcept override { return inner_.size(); }
    void read(std::uint64_t offset, std::span<char> out) override {
        inner_.read(offset, out);
        const auto leave = static_cast<std::size_t>(std::min<std::uint64_t>(most_, out.size()));
        most_ -= leave;
        if (leave > 0) {
            there_.receives(out.first(leave));
        }
        waiting_.append(out.data() + leave, out.size() - leave);
    }
    /// What waits leaves after all.
    void let_go() {
        if (!waiting_.empty()) {
            there_.receives(std::exchange(waiting_, {}));
        }
    }

private:
    body_source& inner_;
    arrival& there_;
    std::uint64_t most_;
    std::string waiting_;
};

}  // namespace waybill::simulation
