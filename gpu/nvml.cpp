#include "gpu/nvml.hpp"

#include <algorithm>
#include <array>
#include <dlfcn.h>
#include <tuple>

namespace ferry::gpu {
namespace {

constexpr unsigned long long bytes_per_mib = 1024ULL * 1024;

} // namespace

// Null where the library has no such function.
struct nvml::functions {
  abi::init_fn* init = nullptr;
  abi::shutdown_fn* shutdown = nullptr;
  abi::error_string_fn* error_string = nullptr;
  abi::count_fn* count = nullptr;
  abi::handle_fn* handle = nullptr;
  abi::text_fn* name = nullptr;
  abi::text_fn* uuid = nullptr;
  abi::pci_fn* pci = nullptr;
  abi::memory_fn* memory = nullptr;
  abi::memory_v2_fn* memory_v2 = nullptr;
  abi::utilization_fn* utilization = nullptr;
  abi::temperature_fn* temperature = nullptr;
  abi::processes_fn* processes = nullptr;
  abi::processes_fn* drawing_processes = nullptr;
  abi::mig_mode_fn* mig_mode = nullptr;
  abi::mig_count_fn* mig_count = nullptr;
  abi::mig_handle_fn* mig_handle = nullptr;
  abi::event_set_create_fn* create_events = nullptr;
  abi::event_set_free_fn* free_events = nullptr;
  abi::register_events_fn* register_events = nullptr;
  abi::event_wait_fn* wait_for_event = nullptr;

  explicit functions(void* library) {
    const auto load = [library](auto*& function, const char* symbol) {
      function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(::dlsym(library, symbol));
    };
    load(init, "nvmlInit_v2");
    load(shutdown, "nvmlShutdown");
    load(error_string, "nvmlErrorString");
    load(count, "nvmlDeviceGetCount_v2");
    load(handle, "nvmlDeviceGetHandleByIndex_v2");
    load(name, "nvmlDeviceGetName");
    load(uuid, "nvmlDeviceGetUUID");
    load(pci, "nvmlDeviceGetPciInfo_v3");
    load(memory, "nvmlDeviceGetMemoryInfo");
    load(memory_v2, "nvmlDeviceGetMemoryInfo_v2");
    load(utilization, "nvmlDeviceGetUtilizationRates");
    load(temperature, "nvmlDeviceGetTemperature");
    load(processes, "nvmlDeviceGetComputeRunningProcesses_v3");
    if (processes == nullptr)
      load(processes, "nvmlDeviceGetComputeRunningProcesses_v2");
    load(drawing_processes, "nvmlDeviceGetGraphicsRunningProcesses_v3");
    if (drawing_processes == nullptr)
      load(drawing_processes, "nvmlDeviceGetGraphicsRunningProcesses_v2");
    load(mig_mode, "nvmlDeviceGetMigMode");
    load(mig_count, "nvmlDeviceGetMaxMigDeviceCount");
    load(mig_handle, "nvmlDeviceGetMigDeviceHandleByIndex");
    load(create_events, "nvmlEventSetCreate");
    load(free_events, "nvmlEventSetFree");
    load(register_events, "nvmlDeviceRegisterEvents");
    load(wait_for_event, "nvmlEventSetWait_v2");
  }
};

struct nvml::found_gpu {
  // CUDA counts in this order with CUDA_DEVICE_ORDER=PCI_BUS_ID; the index only decides where the bus is not known.
  std::tuple<unsigned, unsigned, unsigned, unsigned> order;
  abi::device_t handle = nullptr;
};

nvml::nvml() = default;

nvml::~nvml() {
  if (events_ != nullptr && call_->free_events != nullptr)
    call_->free_events(events_);
  if (is_initialised_ && call_->shutdown != nullptr)
    call_->shutdown();
  if (library_ != nullptr)
    ::dlclose(library_);
}

std::string nvml::message(abi::return_t code) const {
  const char* text = call_->error_string == nullptr ? nullptr : call_->error_string(code);
  return text == nullptr ? "error " + std::to_string(code) : text;
}

result<std::shared_ptr<nvml>> nvml::open(const std::string& library) {
  std::shared_ptr<nvml> made(new nvml);
  made->library_ = ::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (made->library_ == nullptr) {
    const char* why = ::dlerror();
    return fail(error_code::unavailable, library + " cannot be loaded" + (why == nullptr ? "" : ": " + std::string(why)));
  }
  made->call_ = std::make_unique<functions>(made->library_);
  const functions& call = *made->call_;
  if (call.init == nullptr || call.count == nullptr || call.handle == nullptr || call.uuid == nullptr)
    return fail(error_code::unavailable, library + " is not an NVIDIA management library that ferry understands",
                "it needs driver 450 or newer");
  if (const auto code = call.init(); code != abi::success)
    return fail(error_code::unavailable, library + " cannot be started: " + made->message(code));
  made->is_initialised_ = true;
  return made;
}

result<std::string> nvml::text_of(abi::device_t device, abi::text_fn* function, const char* what) const {
  std::array<char, abi::text_bytes> text{};
  const auto code = function == nullptr ? abi::error_not_supported : function(device, text.data(), abi::text_bytes);
  if (code != abi::success)
    return fail(error_code::unavailable, std::string(what) + " cannot be read: " + message(code));
  text.back() = '\0';
  return std::string(text.data());
}

std::optional<nvml::memory_bytes> nvml::memory_of(abi::device_t device) const {
  if (call_->memory_v2 != nullptr) {
    abi::memory_v2 m{};
    m.version = abi::memory_v2_version;
    if (call_->memory_v2(device, &m) == abi::success)
      return memory_bytes{m.total, m.used};
  }
  abi::memory m{};
  if (call_->memory != nullptr && call_->memory(device, &m) == abi::success)
    return memory_bytes{m.total, m.used};
  return std::nullopt;
}

namespace {

// Nothing where the driver does not tell.
std::optional<std::vector<abi::process_info>> list_of(abi::processes_fn* function, abi::device_t device) {
  constexpr unsigned processes_max = 65'536; // what a driver that has lost its way is given room for
  if (function == nullptr)
    return std::nullopt;
  unsigned count = 0;
  auto code = function(device, &count, nullptr); // asks for the number alone
  std::vector<abi::process_info> list;
  while (code == abi::error_insufficient_size && count > list.size() && count <= processes_max) {
    list.resize(count + 8); // more may have come meanwhile
    count = static_cast<unsigned>(list.size());
    code = function(device, &count, list.data());
  }
  if (code != abi::success || count > list.size())
    return std::nullopt;
  list.resize(count);
  return list;
}

} // namespace

std::optional<std::vector<device_process>> nvml::processes_of(abi::device_t device) const {
  const auto computing = list_of(call_->processes, device);
  if (!computing)
    return std::nullopt;
  std::vector<device_process> all;
  const auto add = [&](const abi::process_info& one) {
    const device_process process{.pid = static_cast<int>(one.pid),
                                 .memory_mib = one.used_gpu_memory == abi::memory_not_told
                                                   ? std::nullopt
                                                   : std::optional(static_cast<std::int64_t>(one.used_gpu_memory / bytes_per_mib))};
    const auto known = std::find_if(all.begin(), all.end(), [&](const device_process& p) { return p.pid == process.pid; });
    if (known == all.end())
      all.push_back(process);
    else if (process.memory_mib > known->memory_mib)
      known->memory_mib = process.memory_mib;
  };
  std::for_each(computing->begin(), computing->end(), add);
  if (const auto drawing = list_of(call_->drawing_processes, device)) // parts, and GPUs of data centres, have none
    std::for_each(drawing->begin(), drawing->end(), add);
  return all;
}

result<gpu_part> nvml::describe(abi::device_t device, abi::device_t whole) const {
  auto uuid = text_of(device, call_->uuid, "its UUID");
  if (!uuid)
    return fail(std::move(uuid.error()));
  gpu_part part{device, whole, std::move(*uuid), text_of(device, call_->name, "its name").value_or("NVIDIA GPU"), 0};
  if (const auto memory = memory_of(device))
    part.memory_mib = static_cast<std::int64_t>(memory->total / bytes_per_mib);
  return part;
}

std::vector<nvml::found_gpu> nvml::in_pci_order(std::vector<std::string>& notes) const {
  std::vector<found_gpu> gpus;
  unsigned count = 0;
  if (const auto code = call_->count(&count); code != abi::success) {
    notes.push_back("no GPUs: they cannot be counted: " + message(code));
    return gpus;
  }
  for (unsigned i = 0; i < count; ++i) {
    found_gpu gpu;
    if (const auto code = call_->handle(i, &gpu.handle); code != abi::success) {
      notes.push_back("GPU " + std::to_string(i) + " cannot be used: " + message(code));
      continue;
    }
    abi::pci_info pci{};
    const bool known = call_->pci != nullptr && call_->pci(gpu.handle, &pci) == abi::success;
    gpu.order = known ? std::tuple{pci.domain, pci.bus, pci.device, i} : std::tuple{~0U, ~0U, ~0U, i};
    gpus.push_back(gpu);
  }
  std::sort(gpus.begin(), gpus.end(), [](const found_gpu& a, const found_gpu& b) { return a.order < b.order; });
  return gpus;
}

std::vector<gpu_part> nvml::find_parts(std::vector<std::string>& notes) const {
  std::vector<gpu_part> parts;
  for (const found_gpu& gpu : in_pci_order(notes)) {
    auto described = describe(gpu.handle, gpu.handle);
    if (!described) {
      notes.push_back("GPU " + std::to_string(std::get<3>(gpu.order)) + " cannot be used: " + described.error().what);
      continue;
    }
    unsigned current = 0, pending = 0;
    const bool is_split = call_->mig_mode != nullptr && call_->mig_mode(gpu.handle, &current, &pending) == abi::success &&
                          current == abi::mig_enabled;
    if (is_split)
      add_mig_parts(gpu.handle, described->name + " " + described->uuid, parts, notes);
    else
      parts.push_back(std::move(*described));
  }
  return parts;
}

void nvml::add_mig_parts(abi::device_t gpu, const std::string& name, std::vector<gpu_part>& out,
                         std::vector<std::string>& notes) const {
  unsigned most = 0;
  const auto code =
      call_->mig_count == nullptr || call_->mig_handle == nullptr ? abi::error_not_supported : call_->mig_count(gpu, &most);
  if (code != abi::success) {
    notes.push_back(name + " is split by MIG, but its parts cannot be listed: " + message(code));
    return;
  }
  const std::size_t before = out.size();
  for (unsigned i = 0; i < most; ++i) {
    abi::device_t handle = nullptr;
    const auto found = call_->mig_handle(gpu, i, &handle);
    if (found == abi::error_not_found) // slots need not be filled in order
      continue;
    auto part = found == abi::success ? describe(handle, gpu) : fail(error_code::unavailable, message(found));
    if (part)
      out.push_back(std::move(*part));
    else
      notes.push_back("MIG part " + std::to_string(i) + " of " + name + " cannot be used: " + part.error().what);
  }
  if (out.size() == before)
    notes.push_back(name + " is split by MIG but has no part that can be used; make one with nvidia-smi mig -cgi, or turn MIG off");
}

device_reading nvml::read(const gpu_part& part) const {
  device_reading reading;
  abi::memory room{};
  if (call_->memory != nullptr && call_->memory(part.whole, &room) == abi::error_gpu_is_lost)
    reading.trouble = "the driver has lost the GPU: it has fallen off the bus or must be reset";
  if (const auto memory = memory_of(part.handle))
    reading.memory_used_mib = static_cast<std::int64_t>(memory->used / bytes_per_mib);
  abi::utilization busy{};
  if (call_->utilization != nullptr && call_->utilization(part.handle, &busy) == abi::success)
    reading.utilization_percent = static_cast<int>(busy.gpu);
  unsigned degrees = 0; // a part has no sensor of its own
  if (call_->temperature != nullptr && call_->temperature(part.whole, abi::temperature_gpu, &degrees) == abi::success)
    reading.temperature_c = static_cast<int>(degrees);
  reading.processes = processes_of(part.handle);
  return reading;
}

void nvml::watch_for_errors(const std::vector<gpu_part>& parts) {
  if (events_ != nullptr || call_->create_events == nullptr || call_->register_events == nullptr ||
      call_->wait_for_event == nullptr || call_->create_events(&events_) != abi::success)
    return;
  std::vector<abi::device_t> known;
  for (const gpu_part& part : parts)
    if (std::find(known.begin(), known.end(), part.whole) == known.end()) {
      known.push_back(part.whole);
      (void)call_->register_events(part.whole, abi::event_xid,
                                   events_); // a GPU without such events is watched by its readings alone
    }
}

std::vector<std::pair<abi::device_t, unsigned>> nvml::take_errors() const {
  constexpr int errors_max = 1'000; // a GPU that fails without end must not hold up its readings
  std::vector<std::pair<abi::device_t, unsigned>> errors;
  abi::event_data event{};
  while (events_ != nullptr && errors.size() < errors_max && call_->wait_for_event(events_, &event, 0) == abi::success)
    if (event.type == abi::event_xid)
      errors.emplace_back(event.device, static_cast<unsigned>(event.data));
  return errors;
}

} // namespace ferry::gpu
