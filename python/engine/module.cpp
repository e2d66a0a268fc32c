// brink._engine: the C++ side of the Python package. It parses no scenario and holds no
// model: runs go to `brink-sim --serve` processes, fits to the calibrate room.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <exception>
#include <string>
#include <vector>

#include "models/base/error.h"
#include "models/base/json.h"
#include "python/engine/calibration.h"
#include "python/engine/microkernels.h"
#include "python/engine/run_server.h"

namespace py = pybind11;

namespace brink::python {
namespace {

// Python's exceptions are made in one place, brink.errors, from the JSON of an 'E' frame.
void raise_from_json(const std::string& json) {
  try {
    const py::object error = py::module_::import("brink.errors").attr("from_engine")(json);
    PyErr_SetObject(py::type::of(error).ptr(), error.ptr());
  } catch (py::error_already_set& e) {
    e.restore();
  }
}

void translate(std::exception_ptr thrown) {
  Json json = Json::object();
  try {
    std::rethrow_exception(thrown);
  } catch (const RunFailed& e) {
    raise_from_json(e.what());
    return;
  } catch (const ConfigError& e) {
    json.set("kind", "config");
    json.set("message", e.what());
    json.set("pointer", e.pointer());
    json.set("got", e.got());
    json.set("allowed", e.allowed());
    json.set("file", e.file());
  } catch (const TraceError& e) {
    json.set("kind", "trace");
    json.set("message", e.what());
  } catch (const Error& e) {
    json.set("kind", "internal");
    json.set("message", e.what());
  }
  raise_from_json(json.dump());
}

void check_signals() {
  const py::gil_scoped_acquire gil;
  if (PyErr_CheckSignals() != 0) {
    throw py::error_already_set();
  }
}

py::dict run(RunServer& server, const std::string& request, const py::object& on_progress) {
  RunCallbacks callbacks;
  callbacks.poll = check_signals;
  if (!on_progress.is_none()) {
    callbacks.progress = [&on_progress](const std::string& json) {
      const py::gil_scoped_acquire gil;
      on_progress(py::str(json));
    };
  }
  RunAnswer answer;
  {
    const py::gil_scoped_release unlocked;
    answer = server.run(request, callbacks);
  }
  py::dict files;
  for (const auto& [name, content] : answer.files) {
    files[py::str(name)] = py::bytes(content);
  }
  py::dict result;
  result["files"] = files;
  result["done"] = py::str(answer.done);
  return result;
}

}  // namespace
}  // namespace brink::python

PYBIND11_MODULE(_engine, m) {
  using namespace brink::python;
  m.doc() = "Brink's C++ engine: run servers and kernel calibration.";
  py::register_exception_translator([](std::exception_ptr thrown) {
    if (thrown) {
      translate(thrown);
    }
  });
  py::class_<RunServer>(m, "RunServer", "One `brink-sim --serve` process.")
      .def(py::init([](std::string executable) {
             const py::gil_scoped_release unlocked;
             return std::make_unique<RunServer>(std::move(executable));
           }),
           py::arg("executable"))
      .def("run", &run, py::arg("request"), py::arg("on_progress") = py::none(),
           "One run: {'files': {name: bytes}, 'done': JSON text}. Ctrl-C ends it with KeyboardInterrupt.")
      .def("cancel", &RunServer::cancel, "Ends the run in progress within about 2 s; from any thread.")
      .def_property_readonly("alive", &RunServer::alive)
      .def_property_readonly("pid", &RunServer::pid);
  m.def("fit_kernels", &fit_kernels, py::arg("data_dir"), py::arg("gpu"), py::arg("keep") = "",
        py::call_guard<py::gil_scoped_release>(),
        "Fits the kernel part of a profile to measurement tables; the profile as JSON text.");
  m.def("cross_validate", &cross_validate, py::arg("data_dir"), py::arg("gpu"), py::call_guard<py::gil_scoped_release>(),
        "Predicted and measured kernel times, in sample and left out, as JSON text.");
  m.def("fit_microkernels", &fit_microkernels, py::arg("results"), py::arg("gpu"), py::arg("base") = "",
        py::arg("keep") = std::vector<std::string>{}, py::call_guard<py::gil_scoped_release>(),
        "Fits a profile to the results of the microkernels: {'profile', 'report', 'text'} as JSON text.");
  m.def("diff_profiles", &diff_profiles, py::arg("before"), py::arg("after"), py::call_guard<py::gil_scoped_release>(),
        "What changed between two profiles, as JSON text.");
  m.def("with_sections", &with_sections, py::arg("document"), py::arg("sections"),
        "A JSON object with members set, as text in the layout of the project's own files.");
  m.def("version", [] { return BRINK_VERSION; });
}
