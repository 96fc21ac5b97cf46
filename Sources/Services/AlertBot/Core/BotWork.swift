/// From a step of the policy to work on the world: names are looked up on the lists, never made.
extension Bot {
    /// What limits and cool-downs are kept for: a service, a request or a command.
    func target(_ action: BotPolicy.Action, _ labels: Pairs) throws(BotError) -> String {
        switch action {
        case .restart(let target, _), .scale(let target, _, _):
            let name = try LabelArgument.fill(target, labels)
            guard policy.targets[name] != nil else { throw BotError(.refused, "\(name) is not a target of the policy") }
            return name
        case .http(let name), .run(let name), .notify(let name), .ticket(let name): return name
        }
    }

    func actuators(_ action: BotPolicy.Action) -> [BotPolicy.Actuator] {
        switch action {
        case .restart(_, let via), .scale(_, _, let via): via
        case .http, .run, .notify, .ticket: []
        }
    }

    func via(_ action: BotPolicy.Action, _ actuator: Int) -> String {
        let all = actuators(action)
        return all.indices.contains(actuator) ? all[actuator].rawValue : ""
    }

    func work(_ action: BotPolicy.Action, _ name: String, _ labels: Pairs, actuator: Int) throws(BotError) -> Work {
        let all = actuators(action)
        let via = all.indices.contains(actuator) ? all[actuator] : .service
        switch action {
        case .restart:
            guard let target = policy.targets[name], target.mayRestart else { throw BotError(.refused, "\(name) may not be restarted") }
            switch via {
            case .service:
                guard !target.url.isEmpty else { throw BotError(.refused, "\(name) has no url") }
                return .serviceQuit(url: target.url)
            case .supervisor: return .supervisorRestart(service: target.supervisor.isEmpty ? name : target.supervisor)
            case .docker:
                guard LabelArgument.isSafe(target.container) else { throw BotError(.refused, "\(name) has no container") }
                return .dockerRestart(container: target.container)
            }
        case .scale(_, let count, _):
            guard let target = policy.targets[name], let range = target.scale, range.contains(count) else {
                throw BotError(.refused, "\(name) may not be scaled to \(count)")
            }
            switch via {
            case .service:
                guard !target.url.isEmpty else { throw BotError(.refused, "\(name) has no url") }
                return .serviceScale(url: target.url, workers: count)
            case .supervisor:
                return .supervisorScale(service: target.supervisor.isEmpty ? name : target.supervisor, replicas: count)
            case .docker: throw BotError(.refused, "docker scales nothing")
            }
        case .http(let request):
            guard let request = policy.requests[request] else { throw BotError(.refused, "\(request) is not a request of the policy") }
            return .http(request)
        case .run(let command):
            guard let command = policy.commands[command] else { throw BotError(.refused, "\(command) is not a command of the policy") }
            var argv: [String] = []
            for (index, word) in command.argv.enumerated() { argv.append(index == 0 ? word : try LabelArgument.fill(word, labels)) }
            return .run(argv: argv)
        case .notify, .ticket: throw BotError(.refused, "a notice is no work")
        }
    }
}
