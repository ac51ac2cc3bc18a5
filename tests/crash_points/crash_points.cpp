// SPDX-License-Identifier: BSL-1.0
//
// A scripted life of jobs in the real store, recorded write by write. Then the power is cut after
// each of them: what was not synced is dropped, kept, or torn sector by sector. Every image must
// open and hold exactly what was acknowledged, or that and the one change that was under way.
//
//   crash_points --torn 20 --seed 3

#include "crash_points/image.hpp"
#include "support/sample_store.hpp"
#include "support/temp_dir.hpp"

#include <CLI/CLI.hpp>

#include <filesystem>
#include <functional>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

using namespace waybill;
using namespace waybill::test;

namespace {

/// The store's whole content after each acknowledged step.
using ledger = std::vector<std::string>;

ledger live(const std::string& path, recording_vfs& disk) {
    ledger after;
    sample_store store(path);
    const auto acknowledged = [&] {
        disk.mark(static_cast<std::int64_t>(after.size()));
        after.push_back(store.dump());
    };
    const auto change = [&](std::int64_t seq, status to, const std::function<void(job_change&)>& adjust = {}) {
        job_change next = step(store, static_cast<job_seq>(seq), to);
        if (adjust) {
            adjust(next);
        }
        store.commit(next);
        acknowledged();
    };
    store.open();
    acknowledged();
    store.add({sample_job("one")});
    acknowledged();
    store.add({sample_job("two"), sample_job("three"), sample_job("four")});
    acknowledged();
    for (int attempt = 1; attempt <= 3; ++attempt) {
        change(1, status::uploading, [&](job_change& c) { c.to.attempt = attempt; });
        change(1, status::uploading, [](job_change& c) {
            c.checkpoints.push_back({0, "https://server.test/u/1", 50, std::string(300, 's'), 0});
        });
        change(1, status::uploading, [&](job_change& c) {
            item_state done;
            done.status = item_status::completed;
            done.confirmed = 100;
            done.receipt = "etag";
            c.items.emplace_back(0, done);
            c.to.intent = intent(attempt, checkpoint::whole_job);
        });
        change(1, status::waiting, [&](job_change& c) { c.to.failures = attempt; });
    }
    store.close();  // the WAL goes into the main file
    store.open();
    change(1, status::uploading);
    change(1, status::completed, [](job_change& c) { c.drop_checkpoints = true; });
    change(2, status::uploading, [](job_change& c) {
        c.checkpoints.push_back({checkpoint::whole_job, "https://server.test/u/2", 7, "", 0});
    });
    change(2, status::canceled, [](job_change& c) {
        leftover left;
        left.reached = {checkpoint::whole_job, "https://server.test/u/2", 7, "", 0};
        c.drop_checkpoints = true;
        c.leftovers.push_back(left);
    });
    store.run<totals>([&] { return store->quarantine(static_cast<job_seq>(3)); });
    acknowledged();
    change(3, status::pending, [&](job_change& c) {
        c.to.epoch = 2;
        for (const item_record& i : store.load(static_cast<job_seq>(3))->items) {
            c.repinned.push_back(i.spec);
            c.repinned.back().identity.inode = 77;
        }
    });
    store.run<void>([&] { return store->remove(static_cast<job_seq>(1), {}); });
    acknowledged();
    const auto rule = [&](const auto& what) {
        store.put(what);
        acknowledged();
    };
    rule(hold{selection::lane("lane"), {{}, std::chrono::hours(1), "roaming"}});
    rule(hold{selection::all(), {}});
    rule(bandwidth_limit{limit_scope::total(), "08:00,512K 18:00,off"});
    rule(hold{selection::lane("lane"), {{}, {}, "said again"}});
    rule(bandwidth_limit{limit_scope::total(), "1M"});
    store.remove(selection::all());
    acknowledged();
    store.remove(limit_scope::total());
    acknowledged();
    for (int i = 0; i < 6; ++i) {
        std::vector<new_job> batch;
        for (int k = 0; k < 4; ++k) {
            batch.push_back(sample_job("more" + std::to_string(i * 4 + k)));
        }
        store.add(batch);
        acknowledged();
    }
    store.close();
    return after;
}

struct counts {
    std::size_t operations = 0;
    std::size_t recovering = 0;
    std::size_t images = 0;
    std::size_t refused = 0;
    std::size_t wrong = 0;
};

class enumeration {
public:
    enumeration(ledger after, std::string recorded, std::uint64_t seed, bool verbose)
        : after_(std::move(after)), recorded_(std::move(recorded)), random_(seed), verbose_(verbose) {}

    /// @param again of every so many points, also cut the power while the store recovers; 0: never.
    counts run(const std::vector<disk_operation>& history, int torn, std::size_t again) {
        disk_state disk;
        std::int64_t acknowledged = -1;
        for (const disk_operation& one : history) {
            if (one.what == disk_operation::kind::mark) {
                acknowledged = one.offset;
                continue;
            }
            disk.happens(one);
            ++counts_.operations;
            check(disk.image(unsynced::dropped, random_), acknowledged, "dropped");
            check(disk.image(unsynced::kept, random_), acknowledged, "kept");
            if (again != 0 && counts_.operations % again == 0) {
                cut_again(disk.image(unsynced::dropped, random_), acknowledged, "dropped");
                cut_again(disk.image(unsynced::kept, random_), acknowledged, "kept");
            }
            for (int i = 0; i < torn; ++i) {
                check(disk.image(unsynced::torn, random_), acknowledged, "torn");
            }
        }
        return counts_;
    }

private:
    using disk_image = std::map<std::string, disk_state::content>;

    /// Lays an image out as files beside this test's own store.
    std::string lay_out(const disk_image& image, const std::string& named) const {
        std::string path = dir_ / "uploads.db";
        for (const char* suffix : {"", "-wal", "-journal"}) {
            std::filesystem::remove(path + suffix);
            const auto found = image.find(named + suffix);
            if (found != image.end() && found->second) {
                std::ofstream(path + suffix, std::ios::binary) << *found->second;
            }
        }
        return path;
    }

    /// Recovers from one power cut, and is hit by the next at every operation of that.
    void cut_again(const disk_image& image, std::int64_t acknowledged, const std::string& fate) {
        const std::string path = lay_out(image, recorded_);
        disk_state disk;
        for (const char* suffix : {"", "-wal", "-journal"}) {
            const auto found = image.find(recorded_ + suffix);
            disk.holds(path + suffix, found == image.end() ? disk_state::content() : found->second);
        }
        std::vector<disk_operation> recovery;
        try {
            recording_vfs vfs;
            sample_store store(path);
            store.open();
            store.close();
            recovery = vfs.log();
        } catch (const std::exception&) {
            return;  // told of before
        }
        for (const disk_operation& one : recovery) {
            disk.happens(one);
            ++counts_.recovering;
            check(disk.image(unsynced::dropped, random_), acknowledged, fate + ", recovering, dropped", path);
            check(disk.image(unsynced::kept, random_), acknowledged, fate + ", recovering, kept", path);
            check(disk.image(unsynced::torn, random_), acknowledged, fate + ", recovering, torn", path);
        }
    }

    void check(const disk_image& image, std::int64_t acknowledged, const std::string& fate) {
        check(image, acknowledged, fate, recorded_);
    }

    void check(const disk_image& image, std::int64_t acknowledged, const std::string& fate, const std::string& named) {
        ++counts_.images;
        const std::string path = lay_out(image, named);
        try {
            sample_store store(path);
            store.open();
            const std::string content = store.dump();
            const auto matches = [&](std::int64_t at) {
                return at < 0 ? content.empty()
                              : static_cast<std::size_t>(at) < after_.size() &&
                                    content == after_[static_cast<std::size_t>(at)];
            };
            if (!matches(acknowledged) && !matches(acknowledged + 1)) {
                ++counts_.wrong;
                tell(fate, acknowledged, "holds something else" + sizes_of(image) + "\n" + content);
            }
        } catch (const std::exception& e) {
            ++counts_.refused;
            tell(fate, acknowledged, e.what() + sizes_of(image));
        }
    }

    static std::string sizes_of(const std::map<std::string, disk_state::content>& image) {
        std::string text;
        for (const auto& [name, content] : image) {
            text += " " + name.substr(name.find_last_of('/') + 1) + " " +
                    (content ? std::to_string(content->size()) : "missing");
        }
        return text;
    }

    void tell(const std::string& fate, std::int64_t acknowledged, const std::string& what) const {
        if (verbose_ || counts_.wrong + counts_.refused <= 5) {
            std::cout << "operation " << counts_.operations << ", " << fate << ", " << acknowledged + 1
                      << " steps acknowledged: " << what << std::endl;
        }
    }

    ledger after_;
    std::string recorded_;
    testing::seeded_random random_;
    bool verbose_;
    temp_dir dir_;
    counts counts_;
};

}  // namespace

int main(int argc, char** argv) {
    int torn = 2;
    std::uint64_t seed = 1;
    std::size_t again = 0;
    bool verbose = false;
    bool relaxed = false;
    CLI::App app("Cuts the power after every write of the store");
    app.add_option("--torn", torn, "torn images for each point");
    app.add_option("--seed", seed, "which sectors they lose");
    app.add_option("--again", again, "of every so many points, cut again at each operation of the recovery");
    app.add_flag("--verbose", verbose, "tell of every broken image");
    app.add_flag("--plant-no-sync", relaxed, "plant a bug: the WAL's syncs do nothing; success is to find it");
    CLI11_PARSE(app, argc, argv);

    const temp_dir dir;
    const std::string path = dir / "uploads.db";
    ledger after;
    std::vector<disk_operation> history;
    {
        recording_vfs disk;
        after = live(path, disk);
        history = disk.log();
    }
    if (relaxed) {
        std::erase_if(history, [](const disk_operation& one) {
            return one.what == disk_operation::kind::sync && one.file.ends_with("-wal");
        });
    }
    enumeration all(after, path, seed, verbose);
    const counts found = all.run(history, torn, again);
    std::cout << after.size() << " acknowledged steps, " << found.operations << " disk operations, " << found.recovering
              << " of recoveries, " << found.images << " images: " << found.refused << " do not open, " << found.wrong
              << " lack something acknowledged or hold something half" << std::endl;
    const bool broken = found.refused + found.wrong != 0;
    if (relaxed) {
        std::cout << (broken ? "the planted bug was found" : "the planted bug was NOT found") << std::endl;
    }
    return broken == relaxed ? 0 : 1;
}
