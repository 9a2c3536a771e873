<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="zh_CN" sourcelanguage="en">
<context>
    <name>Actions</name>
    <message>
        <source>New conversation</source>
        <translation>新对话</translation>
    </message>
    <message>
        <source>Capture the screen</source>
        <translation>截取屏幕</translation>
    </message>
    <message>
        <source>Attach files</source>
        <translation>添加文件</translation>
    </message>
    <message>
        <source>Go to the question</source>
        <translation>转到输入框</translation>
    </message>
    <message>
        <source>Find anything</source>
        <translation>查找</translation>
    </message>
    <message>
        <source>Show or hide conversations</source>
        <translation>显示或隐藏对话列表</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>设置</translation>
    </message>
    <message>
        <source>Add endpoint</source>
        <translation>添加端点</translation>
    </message>
    <message>
        <source>Shortcuts</source>
        <translation>快捷键</translation>
    </message>
</context>
<context>
    <name>Answers</name>
    <message>
        <source>Answers</source>
        <translation>回答</translation>
    </message>
    <message>
        <source>What every conversation begins with</source>
        <translation>每次对话开头都会附上的话</translation>
    </message>
    <message>
        <source>The model&apos;s own</source>
        <translation>由模型决定</translation>
    </message>
    <message>
        <source>Instructions</source>
        <translation>系统提示</translation>
    </message>
    <message>
        <source>Longest answer, tokens</source>
        <translation>回答上限（token）</translation>
    </message>
    <message>
        <source>Temperature</source>
        <translation>温度</translation>
    </message>
    <message>
        <source>Earlier questions sent along</source>
        <translation>一并发送的历史问题数</translation>
    </message>
</context>
<context>
    <name>Appearance</name>
    <message>
        <source>Appearance</source>
        <translation>外观</translation>
    </message>
    <message>
        <source>System</source>
        <translation>跟随系统</translation>
    </message>
    <message>
        <source>Theme</source>
        <translation>主题</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>浅色</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>深色</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>语言</translation>
    </message>
    <message>
        <source>Thinking pane</source>
        <translation>思考栏</translation>
    </message>
    <message>
        <source>Automatic</source>
        <translation>自动</translation>
    </message>
    <message>
        <source>Beside the answer</source>
        <translation>在回答旁边</translation>
    </message>
    <message>
        <source>Above the answer</source>
        <translation>在回答上方</translation>
    </message>
    <message>
        <source>The language changes when Sightline starts again.</source>
        <translation>重新启动 Sightline 后，语言才会改变。</translation>
    </message>
</context>
<context>
    <name>Banner</name>
    <message>
        <source>Dismiss</source>
        <translation>关闭提示</translation>
    </message>
</context>
<context>
    <name>Card</name>
    <message>
        <source>Password</source>
        <translation>密码</translation>
    </message>
    <message>
        <source>Unlock</source>
        <translation>解锁</translation>
    </message>
    <message>
        <source>Look at {name}</source>
        <translation>查看 {name}</translation>
    </message>
    <message>
        <source>Remove {name}</source>
        <translation>移除 {name}</translation>
    </message>
    <message>
        <source>Reading {name}</source>
        <translation>正在读取 {name}</translation>
    </message>
    <message>
        <source>Password for {name}</source>
        <translation>{name} 的密码</translation>
    </message>
    <message>
        <source>Opening…</source>
        <translation>正在打开…</translation>
    </message>
    <message>
        <source>{done} of {all}</source>
        <translation>{done} / {all}</translation>
    </message>
    <message>
        <source>Nothing to see</source>
        <translation>没有可看的内容</translation>
    </message>
    <message>
        <source>{count} pictures</source>
        <translation>{count} 张画面</translation>
    </message>
    <message>
        <source>1 page</source>
        <translation>1 页</translation>
    </message>
    <message>
        <source>{count} pages</source>
        <translation>{count} 页</translation>
    </message>
</context>
<context>
    <name>Composer</name>
    <message>
        <source>Attach files</source>
        <translation>添加文件</translation>
    </message>
    <message>
        <source>Capture the screen</source>
        <translation>截取屏幕</translation>
    </message>
    <message>
        <source>Send</source>
        <translation>发送</translation>
    </message>
    <message>
        <source>Composer</source>
        <translation>输入区</translation>
    </message>
    <message>
        <source>Ask about your screen or a file</source>
        <translation>就屏幕或文件提问</translation>
    </message>
    <message>
        <source>Question</source>
        <translation>问题</translation>
    </message>
    <message>
        <source>This model reads the text in your pictures; it does not see them.</source>
        <comment>local</comment>
        <translation>随附的小模型只读取图片中的文字，看不到图片本身，而且主要懂英文。</translation>
    </message>
    <message>
        <source>This model reads the text in your pictures; it does not see them.</source>
        <translation>这个模型只读取图片中的文字，看不到图片本身。</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>停止</translation>
    </message>
    <message>
        <source>Thinking: auto</source>
        <translation>思考：自动</translation>
    </message>
    <message>
        <source>Thinking: on</source>
        <translation>思考：开</translation>
    </message>
    <message>
        <source>Thinking: off</source>
        <translation>思考：关</translation>
    </message>
    <message>
        <source>Let the model think before it answers</source>
        <translation>让模型先思考再回答</translation>
    </message>
</context>
<context>
    <name>DropVeil</name>
    <message>
        <source>Drop to attach</source>
        <translation>松开即可添加</translation>
    </message>
</context>
<context>
    <name>EndpointForm</name>
    <message>
        <source>The model sees pictures</source>
        <translation>模型能看图片</translation>
    </message>
    <message>
        <source>Automatic</source>
        <translation>自动</translation>
    </message>
    <message>
        <source>Data URL</source>
        <translation>Data URL</translation>
    </message>
    <message>
        <source>Bare Base64</source>
        <translation>纯 Base64</translation>
    </message>
    <message>
        <source>Not switched</source>
        <translation>不切换</translation>
    </message>
    <message>
        <source>Chat template (vLLM, SGLang)</source>
        <translation>对话模板（vLLM、SGLang）</translation>
    </message>
    <message>
        <source>Test</source>
        <translation>测试</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>移除</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>保存</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>名称</translation>
    </message>
    <message>
        <source>URL</source>
        <translation>地址</translation>
    </message>
    <message>
        <source>Key</source>
        <translation>密钥</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Answers in</source>
        <translation>回答格式</translation>
    </message>
    <message>
        <source>Pictures as</source>
        <translation>图片格式</translation>
    </message>
    <message>
        <source>Thinking by</source>
        <translation>思考开关</translation>
    </message>
    <message>
        <source>Leave empty to keep the one you gave</source>
        <translation>留空则沿用已填的密钥</translation>
    </message>
    <message>
        <source>Kept in the system&apos;s keyring.</source>
        <translation>密钥保存在系统密钥环中。</translation>
    </message>
    <message>
        <source>Give the endpoint a name.</source>
        <translation>请为端点取个名称。</translation>
    </message>
    <message>
        <source>There is an endpoint of that name already.</source>
        <translation>已有同名的端点。</translation>
    </message>
    <message>
        <source>The URL has to begin with http:// or https:// and name a host.</source>
        <translation>地址须以 http:// 或 https:// 开头，并写明主机。</translation>
    </message>
    <message>
        <source>Name the model, or press Test to list what the server has.</source>
        <translation>请填写模型名称，或按“测试”列出服务器上的模型。</translation>
    </message>
    <message>
        <source>Asking the server…</source>
        <translation>正在询问服务器…</translation>
    </message>
    <message>
        <source>Saved.</source>
        <translation>已保存。</translation>
    </message>
</context>
<context>
    <name>Endpoints</name>
    <message>
        <source>Endpoints</source>
        <translation>端点</translation>
    </message>
    <message>
        <source>Your endpoints</source>
        <translation>你的端点</translation>
    </message>
    <message>
        <source>Add endpoint</source>
        <translation>添加端点</translation>
    </message>
    <message>
        <source>Without an endpoint, the model on this machine answers. Add a server that speaks the OpenAI protocol to ask a larger one.</source>
        <translation>没有端点时，由本机的模型回答。添加一台兼容 OpenAI 协议的服务器，就能向更大的模型提问。</translation>
    </message>
</context>
<context>
    <name>Finder</name>
    <message>
        <source>Find an action or a conversation</source>
        <translation>查找操作或对话</translation>
    </message>
    <message>
        <source>Found</source>
        <translation>查找结果</translation>
    </message>
    <message>
        <source>Nothing found.</source>
        <translation>没有找到。</translation>
    </message>
</context>
<context>
    <name>Footer</name>
    <message>
        <source>Copy the answer</source>
        <translation>复制回答</translation>
    </message>
    <message>
        <source>Ask again</source>
        <translation>重新提问</translation>
    </message>
    <message>
        <source>Edit the question</source>
        <translation>修改问题</translation>
    </message>
    <message>
        <source>{count} tokens</source>
        <translation>{count} 个 token</translation>
    </message>
    <message>
        <source>first token {seconds} s</source>
        <translation>首个 token {seconds} 秒</translation>
    </message>
    <message>
        <source>{rate} tok/s</source>
        <translation>{rate} token/秒</translation>
    </message>
</context>
<context>
    <name>Gallery</name>
    <message>
        <source>Previous picture</source>
        <translation>上一张</translation>
    </message>
    <message>
        <source>Next picture</source>
        <translation>下一张</translation>
    </message>
    <message>
        <source>page {page}</source>
        <translation>第 {page} 页</translation>
    </message>
</context>
<context>
    <name>Header</name>
    <message>
        <source>Show or hide conversations</source>
        <translation>显示或隐藏对话列表</translation>
    </message>
    <message>
        <source>Who answers</source>
        <translation>由谁回答</translation>
    </message>
    <message>
        <source>Endpoint: {name}</source>
        <translation>端点：{name}</translation>
    </message>
    <message>
        <source>This machine</source>
        <translation>本机</translation>
    </message>
    <message>
        <source>Add endpoint…</source>
        <translation>添加端点…</translation>
    </message>
</context>
<context>
    <name>Library</name>
    <message>
        <source>Conversations</source>
        <translation>对话</translation>
    </message>
    <message>
        <source>Search</source>
        <translation>搜索</translation>
    </message>
    <message>
        <source>Search conversations</source>
        <translation>搜索对话</translation>
    </message>
    <message>
        <source>New conversation</source>
        <translation>新对话</translation>
    </message>
    <message>
        <source>Past conversations</source>
        <translation>以往的对话</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>设置</translation>
    </message>
    <message>
        <source>Shortcuts</source>
        <translation>快捷键</translation>
    </message>
    <message>
        <source>Nothing found.</source>
        <translation>没有找到。</translation>
    </message>
    <message>
        <source>Your conversations appear here.</source>
        <translation>你的对话会列在这里。</translation>
    </message>
    <message>
        <source>Today</source>
        <translation>今天</translation>
    </message>
    <message>
        <source>Yesterday</source>
        <translation>昨天</translation>
    </message>
    <message>
        <source>Earlier</source>
        <translation>更早</translation>
    </message>
    <message>
        <source>Rename</source>
        <translation>重命名</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>删除</translation>
    </message>
</context>
<context>
    <name>Models</name>
    <message>
        <source>This machine</source>
        <translation>本机</translation>
    </message>
    <message>
        <source>There is no model here yet. Get one in a terminal, or use a folder with one.</source>
        <translation>这里还没有模型。请在终端中下载一个，或使用已有的模型文件夹。</translation>
    </message>
    <message>
        <source>Use a model folder…</source>
        <translation>使用模型文件夹…</translation>
    </message>
    <message>
        <source>A model here answers without sending anything anywhere.</source>
        <translation>由这里的模型回答时，任何内容都不会离开本机。</translation>
    </message>
    <message>
        <source>More models</source>
        <translation>更多模型</translation>
    </message>
    <message>
        <source>In a terminal, this fetches one from Hugging Face or ModelScope; “sightline models fit” says what this machine can hold.</source>
        <translation>在终端中运行下面的命令，可从 Hugging Face 或 ModelScope 下载模型；“sightline models fit”会说明本机能运行哪些模型。</translation>
    </message>
    <message>
        <source>“{name}” answers at the moment. Choose “This machine” above the conversation to ask one of these.</source>
        <translation>目前由“{name}”回答。要向这里的模型提问，请在对话上方选择“本机”。</translation>
    </message>
    <message>
        <source>Models lie in {folder}</source>
        <translation>模型存放在 {folder}</translation>
    </message>
    <message>
        <source>sees pictures</source>
        <translation>能看图片</translation>
    </message>
    <message>
        <source>reads text</source>
        <translation>只读文字</translation>
    </message>
    <message>
        <source>made ready when it first runs</source>
        <translation>首次运行时完成准备</translation>
    </message>
    <message>
        <source>adapter that names no model</source>
        <translation>适配器，未指明所属模型</translation>
    </message>
    <message>
        <source>adapter for {base}, which is not here</source>
        <translation>{base} 的适配器，但该模型不在本机</translation>
    </message>
    <message>
        <source>adapter for {base}</source>
        <translation>{base} 的适配器</translation>
    </message>
    <message>
        <source>{name} is not fetched to its end: {share} of {size} is here. To go on:</source>
        <translation>{name} 尚未下载完：{size} 中已有 {share}。继续下载：</translation>
    </message>
    <message>
        <source>Use a model folder</source>
        <translation>使用模型文件夹</translation>
    </message>
</context>
<context>
    <name>Notice</name>
    <message>
        <source>Retry</source>
        <translation>重试</translation>
    </message>
    <message>
        <source>The answer failed.</source>
        <translation>回答失败。</translation>
    </message>
    <message>
        <source>Sightline ended before this answer did. What came is kept.</source>
        <translation>回答尚未完成，Sightline 就退出了；已收到的内容仍然保留。</translation>
    </message>
    <message>
        <source>The answer was cut at the length limit.</source>
        <translation>回答达到长度上限，已被截断。</translation>
    </message>
    <message>
        <source>Stopped.</source>
        <translation>已停止。</translation>
    </message>
    <message>
        <source>The model ended without an answer.</source>
        <translation>模型结束了，但没有给出回答。</translation>
    </message>
</context>
<context>
    <name>Page</name>
    <message>
        <source>Copy</source>
        <translation>复制</translation>
    </message>
    <message>
        <source>Copy link</source>
        <translation>复制链接</translation>
    </message>
    <message>
        <source>Copy code</source>
        <translation>复制代码</translation>
    </message>
    <message>
        <source>Copy all as Markdown</source>
        <translation>全部复制为 Markdown</translation>
    </message>
    <message>
        <source>Select all</source>
        <translation>全选</translation>
    </message>
</context>
<context>
    <name>Pane</name>
    <message>
        <source>Mark a region of {screen}</source>
        <translation>在 {screen} 上选取区域</translation>
    </message>
    <message>
        <source>Capture</source>
        <translation>截屏</translation>
    </message>
    <message>
        <source>Drag to mark a region  ·  click for the whole screen  ·  Esc to leave</source>
        <translation>拖动选取区域  ·  单击截取整个屏幕  ·  Esc 退出</translation>
    </message>
    <message>
        <source>Attach</source>
        <translation>添加</translation>
    </message>
    <message>
        <source>Attach the marked region</source>
        <translation>添加选取的区域</translation>
    </message>
</context>
<context>
    <name>Places</name>
    <message>
        <source>{reason} Starting it again</source>
        <translation>{reason} 正在重新启动</translation>
    </message>
    <message>
        <source>Preparing the built-in model, this once</source>
        <translation>正在准备内置模型（仅此一次）</translation>
    </message>
    <message>
        <source>Loading the model</source>
        <translation>正在加载模型</translation>
    </message>
</context>
<context>
    <name>Preferences</name>
    <message>
        <source>Settings</source>
        <translation>设置</translation>
    </message>
    <message>
        <source>Pages</source>
        <translation>页面</translation>
    </message>
    <message>
        <source>Endpoints</source>
        <translation>端点</translation>
    </message>
    <message>
        <source>This machine</source>
        <translation>本机</translation>
    </message>
    <message>
        <source>Appearance</source>
        <translation>外观</translation>
    </message>
    <message>
        <source>Answers</source>
        <translation>回答</translation>
    </message>
</context>
<context>
    <name>Question</name>
    <message>
        <source>Question</source>
        <translation>问题</translation>
    </message>
    <message>
        <source>Show all</source>
        <translation>显示全部</translation>
    </message>
    <message>
        <source>{name}, page {page}</source>
        <translation>{name}，第 {page} 页</translation>
    </message>
    <message>
        <source>{name}, at {time:.1f} s</source>
        <translation>{name}，{time:.1f} 秒处</translation>
    </message>
</context>
<context>
    <name>Session</name>
    <message>
        <source>Reading the text in the pictures</source>
        <translation>正在读取图片中的文字</translation>
    </message>
</context>
<context>
    <name>Sheet</name>
    <message>
        <source>Shortcuts</source>
        <translation>快捷键</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
    <message>
        <source>Send the question</source>
        <translation>发送问题</translation>
    </message>
    <message>
        <source>Start a new line</source>
        <translation>换行</translation>
    </message>
    <message>
        <source>Stop the answer, close what is open</source>
        <translation>停止回答，关闭打开的界面</translation>
    </message>
    <message>
        <source>Rename or delete a conversation</source>
        <translation>重命名或删除对话</translation>
    </message>
</context>
<context>
    <name>Snippet</name>
    <message>
        <source>Copy “{text}”</source>
        <translation>复制“{text}”</translation>
    </message>
</context>
<context>
    <name>Status</name>
    <message>
        <source>Status</source>
        <translation>状态</translation>
    </message>
    <message>
        <source>The engine&apos;s progress</source>
        <translation>引擎进度</translation>
    </message>
    <message>
        <source>Pictures stay on this machine</source>
        <translation>图片只留在本机</translation>
    </message>
    <message>
        <source>Pictures go to {host}</source>
        <translation>图片会发送到 {host}</translation>
    </message>
    <message>
        <source>Starting the engine</source>
        <translation>正在启动引擎</translation>
    </message>
    <message>
        <source>The engine did not start</source>
        <translation>引擎未能启动</translation>
    </message>
    <message>
        <source>Ready</source>
        <translation>就绪</translation>
    </message>
    <message>
        <source>first token after {seconds} s</source>
        <translation>首个 token 用时 {seconds} 秒</translation>
    </message>
    <message>
        <source>{count} tokens/s</source>
        <translation>{count} token/秒</translation>
    </message>
</context>
<context>
    <name>Strip</name>
    <message>
        <source>Attachments</source>
        <translation>附件</translation>
    </message>
</context>
<context>
    <name>ThinkingPane</name>
    <message>
        <source>Thinking</source>
        <translation>思考中</translation>
    </message>
    <message>
        <source>Thought</source>
        <translation>思考</translation>
    </message>
    <message>
        <source>Thinking · {seconds} s</source>
        <translation>思考中 · {seconds} 秒</translation>
    </message>
    <message>
        <source>Thought for {seconds} s</source>
        <translation>思考了 {seconds} 秒</translation>
    </message>
    <message>
        <source>Show the thinking</source>
        <translation>展开思考</translation>
    </message>
    <message>
        <source>Fold the thinking</source>
        <translation>收起思考</translation>
    </message>
</context>
<context>
    <name>Transcript</name>
    <message>
        <source>Conversation</source>
        <translation>对话</translation>
    </message>
    <message>
        <source>Jump to the latest</source>
        <translation>跳到最新</translation>
    </message>
    <message>
        <source>Ask about what you see.</source>
        <translation>就你看到的提问。</translation>
    </message>
</context>
<context>
    <name>TurnView</name>
    <message>
        <source>Answer</source>
        <translation>回答</translation>
    </message>
    <message>
        <source>Waiting for the model</source>
        <translation>等待模型</translation>
    </message>
</context>
<context>
    <name>Welcome</name>
    <message>
        <source>Start</source>
        <translation>开始</translation>
    </message>
    <message>
        <source>Show it, and ask.</source>
        <translation>给它看，然后问。</translation>
    </message>
    <message>
        <source>Capture the screen, or drop a picture, PDF, deck or video.</source>
        <translation>截取屏幕，或拖入图片、PDF、幻灯片、视频。</translation>
    </message>
    <message>
        <source>Capture the screen</source>
        <translation>截取屏幕</translation>
    </message>
    <message>
        <source>Try it with {name}</source>
        <translation>用 {name} 试一试</translation>
    </message>
    <message>
        <source>What is the total due?</source>
        <translation>应付总额是多少？</translation>
    </message>
    <message>
        <source>At what level does the river station warn?</source>
        <translation>水位多高时测站会报警？</translation>
    </message>
    <message>
        <source>What is the error?</source>
        <translation>出了什么错误？</translation>
    </message>
</context>
<context>
    <name>Wiring</name>
    <message>
        <source>Open settings</source>
        <translation>打开设置</translation>
    </message>
    <message>
        <source>Only files on this machine can be attached: {names}</source>
        <translation>只能添加本机上的文件：{names}</translation>
    </message>
    <message>
        <source>Pasted picture</source>
        <translation>粘贴的图片</translation>
    </message>
    <message>
        <source>“{title}” is deleted.</source>
        <translation>已删除“{title}”。</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>撤销</translation>
    </message>
</context>
</TS>
