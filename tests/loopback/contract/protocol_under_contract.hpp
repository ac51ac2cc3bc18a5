// SPDX-License-Identifier: BSL-1.0
#pragma once

// What the contract test needs to know of a protocol: a server that speaks it, and what it can do, as data.

#include <waybill/options.hpp>

#include "support/http_server.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace waybill::test {

/// After a connection has broken in mid-body, the transfer continues
enum class resumption {
    at_start,  ///< at the first byte of the job
    at_item,   ///< at the first byte of the item that was being sent
    in_item,   ///< within the item that was being sent
};

/// When the answer to the request that delivers an item is lost, the protocol
enum class after_lost_answer {
    repeats,  ///< sends it again: the second copy takes the place of the first one
    asks,     ///< asks the server, and sends nothing again
    parks,    ///< cannot know: the job becomes `unknown_outcome`
};

/// Every clause of the contract reads what it expects from these.
struct capabilities {
    resumption resumes = resumption::at_start;
    /// With `in_item`: of the bytes that were sent before a break, so many are sent again at most.
    std::uint64_t sends_again = 0;
    /// It may begin a request again within one attempt, while others have gone through: `sent` falls by that much.
    bool repeats_within_attempt = false;
    after_lost_answer lost = after_lost_answer::parks;
    /// A broken job leaves something at the server, which a cancellation removes.
    bool leaves_upload = false;
    /// The server says at which URL the bytes are to be sent.
    bool is_told_where = false;
    /// It first asks the endpoint what it speaks, and an endpoint of forms may answer that with a page.
    bool negotiates = false;
    /// All items arrive as one body.
    bool is_form = false;
    /// Settings it must refuse before the job is accepted, by name and value.
    std::vector<std::pair<std::string, std::string>> refused_settings;
};

/// A server that speaks the protocol, and goes wrong as it is told to.
class contract_server {
public:
    virtual ~contract_server() = default;

    [[nodiscard]] virtual http_server& http() = 0;
    /// A job for this server, without items yet.
    [[nodiscard]] virtual job make_job() const = 0;
    /// True of the requests whose body has bytes of items.
    [[nodiscard]] virtual bool carries(const received_request& r) const = 0;
    /// Carries a request out. A script may have read its head.
    virtual void serve(exchange& x) = 0;

    /// The bodies that the server has accepted as a whole and made visible.
    [[nodiscard]] virtual std::vector<std::string> arrived() const = 0;
    /// Uploads it has something of, and which are not complete.
    [[nodiscard]] virtual std::size_t unfinished() const { return 0; }
    /// What its protocol forbids, and the client did.
    [[nodiscard]] virtual std::vector<std::string> violations() const { return {}; }

    /// Breaks the connection once, after `bytes` of item number `item`. What a server of this protocol keeps of a
    /// broken request, it keeps.
    virtual void cut(std::size_t item, std::uint64_t bytes, std::uint64_t earlier_items) = 0;
    /// The next request that delivers an item is carried out, and its answer is lost. If the server is then asked what
    /// became of it, it is too busy to say, once.
    virtual void lose_answer() = 0;
    /// From now on names this URL wherever it may name one: as the place of an upload, or of what it has made of one.
    virtual void name_place(const std::string& url) = 0;

protected:
    /// One request is treated so, and its connection breaks. On a connection that had been used before, clients try
    /// some requests again at once, for the server might have closed it in the meantime. Then that try breaks, too,
    /// before anything of it is read.
    void break_once(std::function<bool(const received_request&)> which, script::step how) {
        const auto again = std::make_shared<std::atomic<bool>>(false);
        script first("cut");
        first.only_if(std::move(which)).then([again](exchange& x) { *again = x.seen().on_connection > 1; });
        http().next(first.then(std::move(how)).reset());
        script second("cut again");
        http().next(second.only_if([again](const received_request&) { return again->exchange(false); }).reset());
    }
};

struct protocol_under_contract {
    std::string name;
    capabilities can;
    std::function<std::unique_ptr<contract_server>()> make_server;
    /// What the uploader must know of it: its factory, its keys.
    std::function<void(options&)> tune = [](options&) {};
};

/// All of them. A protocol of your own is one more.
[[nodiscard]] std::vector<protocol_under_contract> protocols_under_contract();

}  // namespace waybill::test
