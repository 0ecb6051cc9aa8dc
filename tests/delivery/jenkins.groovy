// Executes a declarative Jenkinsfile without Jenkins: refuses what the grammar does not have, and prints an event a line.
// Arguments: the Jenkinsfile, the branch that is built.
import groovy.json.JsonOutput

class Section {
    static final GRAMMAR = [
        pipeline: [blocks: ['agent', 'options', 'stages', 'post'], needed: ['agent', 'stages']],
        agent: [calls: ['label']],
        options: [calls: ['disableConcurrentBuilds', 'timeout', 'buildDiscarder', 'logRotator']],
        stages: [named: ['stage']],
        stage: [blocks: ['when', 'options', 'input', 'steps', 'post'], needed: ['steps']],
        when: [calls: ['branch', 'beforeInput']],
        input: [calls: ['message', 'ok', 'submitter']],
        post: [blocks: ['always', 'success', 'failure', 'cleanup']],
        steps: [calls: ['sh', 'junit', 'recordCoverage', 'archiveArtifacts', 'deleteDir', 'file'], around: ['withCredentials']],
    ]
    static final STEPS = ['always', 'success', 'failure', 'cleanup']

    final String name
    final Closure event
    final Map<String, Closure> blocks = [:]
    final List<List> stages = []
    final Map<String, Object> said = [:]

    Section(String name, Closure event) {
        this.name = name
        this.event = event
    }

    static Section read(String name, Closure body, Closure event) {
        def section = new Section(name, event)
        body.delegate = section
        body.resolveStrategy = Closure.DELEGATE_ONLY
        body.call()
        def missing = (section.rules().needed ?: []).findAll { !section.blocks.containsKey(it) }
        if (missing) {
            throw new IllegalStateException("$name: $missing missing")
        }
        section
    }

    Map rules() {
        GRAMMAR[STEPS.contains(name) ? 'steps' : name]
    }

    def methodMissing(String word, Object given) {
        def arguments = given as List
        if (word in rules().blocks && arguments.size() == 1 && arguments[0] instanceof Closure) {
            if (blocks.put(word, arguments[0]) != null) {
                throw new IllegalStateException("$name: $word stands twice")
            }
        } else if (word in rules().named) {
            stages << [arguments[0], arguments[1]]
        } else if (word in rules().around) {
            event(begin: word, with: arguments[0])
            def inner = arguments[1]
            inner.delegate = this
            inner.resolveStrategy = Closure.DELEGATE_ONLY
            inner.call()
            event(end: word)
        } else if (word in rules().calls && !arguments.any { it instanceof Closure }) {
            def value = arguments.size() == 1 ? arguments[0] : arguments
            said[word] = value
            if (word == 'file' || word == 'logRotator') {
                return value
            }
            event((name in ['steps', *STEPS] ? 'step' : name): word, with: value)
        } else {
            throw new IllegalStateException("$name: there is no $word")
        }
        null
    }

    def propertyMissing(String word) {
        throw new IllegalStateException("$name: there is no variable $word")
    }
}

class Build {
    String branch
    String stage = null

    void event(Map event) {
        println JsonOutput.toJson([stage: stage] + event)
    }

    Section read(String name, Closure body) {
        Section.read(name, body, this.&event)
    }

    void run(Closure body) {
        def pipeline = read('pipeline', body)
        ['agent', 'options'].each { if (pipeline.blocks[it]) read(it, pipeline.blocks[it]) }
        read('stages', pipeline.blocks.stages).stages.each { name, content -> runStage(name, content) }
        stage = null
        if (pipeline.blocks.post) {
            runPost(pipeline.blocks.post)
        }
    }

    void runStage(String name, Closure content) {
        stage = name
        def found = read('stage', content)
        event(begin: 'stage')
        if (found.blocks.options) {
            read('options', found.blocks.options)
        }
        def asked = found.blocks.when ? read('when', found.blocks.when).said : [:]
        def wanted = !asked.branch || asked.branch == branch
        if (!wanted && (asked.beforeInput || !found.blocks.input)) {
            event(skipped: 'stage')
            return
        }
        if (found.blocks.input) {
            read('input', found.blocks.input)
        }
        if (wanted) {
            read('steps', found.blocks.steps)
            if (found.blocks.post) {
                runPost(found.blocks.post)
            }
        }
    }

    void runPost(Closure body) {
        def post = read('post', body)
        ['always', 'success', 'cleanup'].each { if (post.blocks[it]) read(it, post.blocks[it]) }
    }
}

def build = new Build(branch: args[1])
new GroovyShell(new Binding(pipeline: { Closure body -> build.run(body) })).evaluate(new File(args[0]))
