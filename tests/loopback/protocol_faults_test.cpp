// SPDX-License-Identifier: BSL-1.0
#include "loopback/fault_endpoints.hpp"
#include "support/catch.hpp"
#include "support/delivery.hpp"
#include "support/fault_scripts.hpp"
#include "support/http_server.hpp"
#include "support/temp_dir.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// Every fault × every protocol × fresh and kept connections × plain and TLS, by whole jobs. Each cell is a
// server of its own, and many run at once. Each ends with the bytes equal and there once, with a named
// error, or, where nobody can know, as unknown.
namespace waybill::test {
namespace {

/// A row of the matrix: a protocol, and which of its requests meets the fault.
struct row {
    std::string name;
    bool trusts = false;      ///< its answer alone says that everything is there
    bool overwrites = false;  ///< a second copy takes the first one's place
    bool large = false;       ///< needs a body of several parts
    bool keeps = true;        ///< that request may go on a kept connection
    std::function<std::unique_ptr<endpoint>(const http_server_options&)> make;
    std::function<bool(const received_request&)> meets;
};

std::vector<row> rows() {
    const auto is = [](const char* method) {
        return [method](const received_request& r) { return r.method == method; };
    };
    const auto is_not = [](const char* method) {
        return [method](const received_request& r) { return r.method != method; };
    };
    const auto any = [](const received_request&) { return true; };
    const auto plain = [](plain_endpoint::kind what) {
        return [what](const http_server_options& o) { return std::make_unique<plain_endpoint>(o, what); };
    };
    const auto tus = [](std::uint64_t chunk) {
        return [chunk](const http_server_options& o) { return std::make_unique<tus_endpoint>(o, chunk); };
    };
    const auto resumable = [](bool form) {
        return [form](const http_server_options& o) { return std::make_unique<resumable_endpoint>(o, form); };
    };
    std::vector<row> all = {
        {"put", true, true, false, true, plain(plain_endpoint::kind::put), any},
        {"post by put", true, false, false, false, plain(plain_endpoint::kind::post), any},
        {"multipart", true, false, false, false, plain(plain_endpoint::kind::form), any},
        {"tus create", false, false, false, true, tus(0), is("POST")},
        {"tus append", false, false, false, true, tus(200'000), is("PATCH")},
        {"tus finish", false, false, false, false, tus(0), is("PATCH")},
        {"resumable create", false, false, false, true, resumable(false), is_not("PATCH")},
        {"resumable append", true, false, false, true, resumable(false), is("PATCH")},
        {"resumable form", true, false, false, true, resumable(true), is("PATCH")},
    };
#if defined(WAYBILL_HAS_S3)
    const auto with = [](const char* method, const char* in_query) {
        return [=](const received_request& r) {
            return r.method == method && r.target.find(in_query) != std::string::npos;
        };
    };
    const auto s3_object = [](const http_server_options& o) { return std::make_unique<s3_endpoint>(o); };
    all.push_back({"s3 put", true, true, false, true, s3_object, is("PUT")});
    all.push_back({"s3 create", false, true, true, true, s3_object, with("POST", "uploads")});
    all.push_back({"s3 part", false, true, true, true, s3_object, with("PUT", "partNumber")});
    all.push_back({"s3 complete", false, true, true, false, s3_object, with("POST", "uploadId")});
#endif
    return all;
}

/// How a cell ended, in the matrix's words.
enum class ending { delivered, refused, unknown, not_met, broken };

struct cell {
    const row* what;
    const fault* wrong;
    bool kept;
    bool tls;
    delivery* by = nullptr;
    std::unique_ptr<endpoint> server;
    job_id id;
    std::string complaint;

    [[nodiscard]] bool needs_long_body() const {
        return what->large || (what->trusts && wrong->in_mid_body && wrong->after == aftermath::incomplete &&
                               wrong->how.name().starts_with("early"));
    }
    [[nodiscard]] std::string name() const {
        return what->name + (kept ? ", kept" : ", fresh") + (tls ? ", TLS" : ", plain") + ": " + wrong->how.name();
    }
};

class protocol_matrix {
public:
    protocol_matrix()
        : file_(dir_.write("file", content())), long_file_(dir_.write("long", content(true))),
          identity_(authority_.issue()), uploads_(tuned("fresh")) {
        for (std::size_t i = 0; i < keepers; ++i) {
            keepers_.push_back(std::make_unique<delivery>(tuned("kept" + std::to_string(i))));
        }
    }

    /// Plays the cells of the rows, many at once. `slice`: each fault meets each row once, on a fresh and on a
    /// kept connection, plain and over TLS by turns.
    void play(const std::vector<row>& all_rows, const std::vector<fault>& faults, bool slice) {
        std::vector<cell> batch;
        // Alike faults together: then stalls are waited for together.
        for (std::size_t f = 0; f < faults.size(); ++f) {
            for (std::size_t r = 0; r < all_rows.size(); ++r) {
                const std::size_t kinds = all_rows[r].keeps ? 4 : 2;
                for (std::size_t kind = 0; kind < kinds; ++kind) {
                    if (slice && (f + r) % kinds != kind) {
                        continue;
                    }
                    batch.push_back(cell{&all_rows[r], &faults[f], kind / 2 == 1, kind % 2 == 1, nullptr, {}, {}, {}});
                    if (batch.size() == at_once) {
                        play(batch);
                    }
                }
            }
        }
        play(batch);
    }

    [[nodiscard]] const std::vector<std::string>& complaints() const { return complaints_; }
    [[nodiscard]] std::size_t cells() const { return cells_; }

    void print(std::ostream& out) const {
        out << "| protocol, request | connection | delivered | named error | unknown | not met |\n"
               "| --- | --- | ---: | ---: | ---: | ---: |\n";
        for (const auto& [name, counts] : counts_) {
            const auto of = [&counts = counts](ending e) {
                const auto found = counts.find(e);
                return found == counts.end() ? 0 : found->second;
            };
            out << "| " << name.first << " | " << name.second << " | " << of(ending::delivered) << " | "
                << of(ending::refused) << " | " << of(ending::unknown) << " | " << of(ending::not_met) << " |\n";
        }
    }

private:
    static constexpr std::size_t at_once = 96;
    // libcurl keeps four connections for each transfer there is: of many that were used before most would be closed
    // by the time they are needed. So each of a batch that needs one has an uploader of its own.
    static constexpr std::size_t keepers = at_once / 2;

    options tuned(const std::string& store) const {
        options how = quick_options(dir_);
        how.store.path = dir_ / (store + "/queue.db");
        how.limits.stall = how.limits.response = std::chrono::milliseconds(1000);
        how.retry.retry_after_cap = std::chrono::milliseconds(20);
        how.retry.attempts = 6;
        how.max_concurrent_jobs = at_once;
        how.progress_interval = std::chrono::milliseconds(250);
        how.http.ca_file = authority_.ca_file();
#if defined(WAYBILL_HAS_S3)
        how.protocols.add(s3_with([](const std::string&, const std::string&) {
            return std::optional(s3_credentials{s3_server::access_key, s3_server::secret_key, {}});
        }));
#endif
        return how;
    }

    http_server_options server_options(const cell& c) const {
        http_server_options how = c.needs_long_body() ? reads_little() : http_server_options();
        if (c.tls) {
            how.tls = identity_;
        }
        return how;
    }

    void play(std::vector<cell>& batch) {
        std::size_t kept = 0;
        for (cell& c : batch) {
            c.server = c.what->make(server_options(c));
            c.by = c.kept ? keepers_[kept++ % keepers].get() : &uploads_;
        }
        warm_up(batch);
        for (cell& c : batch) {
            plan(c.server->http(), *c.wrong, c.what->meets);
            job one = c.server->make(c.needs_long_body() ? long_file_ : file_);
            c.id = c.by->enqueue(std::move(one.lane(std::to_string(++lanes_))));
        }
        for (cell& c : batch) {
            const ending e = end_of(c);
            ++counts_[{c.what->name, c.kept ? "kept" : "fresh"}][e];
            ++cells_;
            if (e == ending::broken) {
                complaints_.push_back(c.name() + ": " + c.complaint);
            }
        }
        batch.clear();
    }

    /// A PUT to the same server, whose connection is kept.
    void warm_up(const std::vector<cell>& batch) {
        std::vector<std::pair<delivery*, job_id>> warm;
        for (const cell& c : batch) {
            if (c.kept) {
                c.server->http().next(script("warm-up").read_all().answer({201}));
                job first(c.server->http().url("/warm"));
                first.bytes("x", "x").lane(std::to_string(++lanes_));
                warm.emplace_back(c.by, c.by->enqueue(std::move(first)));
            }
        }
        for (const auto& [by, id] : warm) {
            if (by->settled(id).status != status::completed) {
                complaints_.push_back("a warm-up failed");
            }
        }
    }

    ending end_of(cell& c) {
        job_snapshot done;
        try {
            done = c.by->settled(c.id);
        } catch (const std::exception& e) {
            c.complaint = e.what();
            return ending::broken;
        }
        const std::size_t copies = copies_of(c, done.status);
        const bool met = c.server->http().scripts_left() == 0;
        c.complaint =
            describe(done) + ", " + std::to_string(copies) + " copies, " + std::to_string(c.server->wrong()) + " wrong";
        if (c.server->wrong() != 0) {
            return ending::broken;
        }
        if (c.kept && !met_on_kept_connection(c)) {
            c.complaint += ", on a fresh connection";
            return ending::broken;
        }
        // Another copy is harmless where the server takes it for the same; nowhere else may there be one.
        if (!c.what->overwrites && copies > 1) {
            return ending::broken;
        }
        switch (done.status) {
            case status::completed: return copies == 0 ? ending::broken : met ? ending::delivered : ending::not_met;
            case status::unknown_outcome: return c.what->overwrites ? ending::broken : ending::unknown;
            case status::failed: {
                const std::string said = done.error.message();
                return said.empty() || said.find("unknown error") != std::string::npos ? ending::broken
                                                                                       : ending::refused;
            }
            default: return ending::broken;
        }
    }

    /// The request that met the fault came on a connection that others had used before.
    static bool met_on_kept_connection(const cell& c) {
        const http_log::requests all = c.server->http().requests();
        const auto first =
            std::find_if(all.begin(), all.end(), [&](const auto& r) { return r.script == c.wrong->how.name(); });
        return first == all.end() || first->on_connection > 1;
    }

    /// An early success comes before the server has read what the client's kernel still holds.
    static std::size_t copies_of(const cell& c, status now) {
        if (now == status::completed && c.server->copies(*c.wrong) == 0) {
            try {
                c.server->http().log().wait_until(
                    "the file",
                    [&](const http_log::requests& all) {
                        return std::any_of(all.begin(), all.end(), [](const auto& r) {
                            return r.complete && r.over && r.body_bytes >= content().size();
                        });
                    },
                    std::chrono::seconds(2));
            } catch (const std::exception&) {
                // It is not there: the caller says so.
            }
        }
        const std::size_t kept = c.server->copies(*c.wrong);
        return kept == 0 && claims_to_have_it(c) ? 1 : kept;
    }

    /// The script took the whole file and said so; that its server has kept nothing is its own affair.
    static bool claims_to_have_it(const cell& c) {
        const http_log::requests all = c.server->http().requests();
        return c.wrong->after == aftermath::delivered && std::any_of(all.begin(), all.end(), [&](const auto& r) {
                   return r.script == c.wrong->how.name() && r.complete && r.body_bytes >= content().size();
               });
    }

    temp_dir dir_;
    std::string file_;
    std::string long_file_;
    certificate_authority authority_;
    server_identity identity_;
    delivery uploads_;
    std::vector<std::unique_ptr<delivery>> keepers_;
    int lanes_ = 0;
    std::size_t cells_ = 0;
    std::map<std::pair<std::string, std::string>, std::map<ending, int>> counts_;
    std::vector<std::string> complaints_;
};

std::string all_of(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) {
        text += line + "\n";
    }
    return text;
}

}  // namespace

TEST_CASE("whatever a server does, every protocol ends with the bytes equal or an error that names it") {
    protocol_matrix matrix;
    const std::vector<row> all = rows();
    const std::vector<fault> faults = all_faults();
    matrix.play(all, faults, true);
    INFO(all_of(matrix.complaints()));
    CHECK(matrix.complaints().empty());
    CHECK(matrix.cells() == all.size() * faults.size());
}

// For docs/reliability.md: loopback_protocol_faults "[matrix]"
TEST_CASE("the matrix of faults", "[.][matrix]") {
    protocol_matrix matrix;
    const std::vector<row> all = rows();
    matrix.play(all, all_faults(), false);
    matrix.print(std::cout);
    std::cout << "\n"
              << matrix.cells() << " cells, " << matrix.complaints().size() << " broken\n"
              << all_of(matrix.complaints());
    CHECK(matrix.complaints().empty());
}

}  // namespace waybill::test
